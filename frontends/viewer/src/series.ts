//  series.ts - the gateway's series of numbers, cut where nobody counted
//
//  A point is null where no process counted: that stretch is a gap, and nothing is
//  drawn through it.

import type { Series } from './protocol';

export interface Run {
  from: number; // index of the first point
  values: number[];
}

//  The stretches between the gaps.
export function runsOf(values: (number | null)[]): Run[] {
  const runs: Run[] = [];
  let run: Run | null = null;
  values.forEach((value, at) => {
    if (value === null) {
      run = null;
      return;
    }
    if (!run) runs.push((run = { from: at, values: [] }));
    run.values.push(value);
  });
  return runs;
}

//  The gaps themselves: first point and how many.
export function gapsOf(values: (number | null)[]): { from: number; size: number }[] {
  const gaps: { from: number; size: number }[] = [];
  values.forEach((value, at) => {
    if (value !== null) return;
    const last = gaps.at(-1);
    if (last && last.from + last.size === at) last.size += 1;
    else gaps.push({ from: at, size: 1 });
  });
  return gaps;
}

export async function fetchSeries(
  resolution: '1s' | '1m',
  metric: string,
  signal: AbortSignal,
): Promise<Series> {
  const asked = new URLSearchParams({ resolution, metric });
  const answer = await fetch(`/v1/stats/series?${asked}`, { signal });
  if (!answer.ok) throw new Error(`the gateway answered ${answer.status}`);
  return (await answer.json()) as Series;
}
