//  adbreak.ts - a break of several ads, as a pure automaton
//
//  Time and the viewer's clicks go in, the next state and the facts to be
//  tracked come out, in the order in which they happened. It knows no clock and
//  no tracker, so a tab that was asleep for a while simply passes a long tick.

export interface AdBreak {
  ads: number; // size of the pod
  index: number; // the ad on screen, from 0; === ads when the break is over
  elapsed: number; // seconds of that ad
  adSeconds: number;
  skipAfter: number;
  paused: boolean;
}

export type AdFact =
  | { fact: 'break_start' }
  | { fact: 'start'; index: number }
  | { fact: 'quartile'; index: number; percent: 25 | 50 | 75 }
  | { fact: 'complete'; index: number }
  | { fact: 'skip'; index: number; percent: number }
  | { fact: 'click'; index: number; percent: number }
  | { fact: 'pause'; index: number; percent: number }
  | { fact: 'resume'; index: number; percent: number }
  | { fact: 'break_end' };

export type AdInput =
  { input: 'tick'; seconds: number } | { input: 'skip' | 'click' | 'pause' | 'resume' };

export interface AdStep {
  next: AdBreak;
  facts: AdFact[];
}

const QUARTILES = [25, 50, 75] as const;

//  Begins a break of `ads` ads (1 or more).
export function startBreak(ads: number, adSeconds: number, skipAfter: number): AdStep {
  const next = { ads, index: 0, elapsed: 0, adSeconds, skipAfter, paused: false };
  return { next, facts: [{ fact: 'break_start' }, { fact: 'start', index: 0 }] };
}

export function isOver(state: AdBreak): boolean {
  return state.index >= state.ads;
}

export function maySkip(state: AdBreak): boolean {
  return !isOver(state) && state.elapsed >= state.skipAfter;
}

//  What an input does; one that makes no sense now (skip too early, anything
//  after the end) changes nothing.
export function stepBreak(state: AdBreak, input: AdInput): AdStep {
  const nothing = { next: state, facts: [] };
  if (isOver(state)) return nothing;
  const { index } = state;
  const percent = Math.min(100, Math.floor((state.elapsed / state.adSeconds) * 100));
  switch (input.input) {
    case 'tick':
      return state.paused ? nothing : tick(state, input.seconds);
    case 'skip':
      return maySkip(state) ? leaveAd(state, [{ fact: 'skip', index, percent }]) : nothing;
    case 'click':
      return { next: state, facts: [{ fact: 'click', index, percent }] };
    case 'pause':
      if (state.paused) return nothing;
      return { next: { ...state, paused: true }, facts: [{ fact: 'pause', index, percent }] };
    case 'resume':
      if (!state.paused) return nothing;
      return { next: { ...state, paused: false }, facts: [{ fact: 'resume', index, percent }] };
  }
}

function tick(state: AdBreak, seconds: number): AdStep {
  const { index, adSeconds } = state;
  const elapsed = state.elapsed + seconds;
  const facts: AdFact[] = QUARTILES.filter((percent) => {
    const at = (adSeconds * percent) / 100;
    return state.elapsed < at && elapsed >= at;
  }).map((percent) => ({ fact: 'quartile', index, percent }));
  if (elapsed < adSeconds) return { next: { ...state, elapsed }, facts };
  return leaveAd(state, [...facts, { fact: 'complete', index }]);
}

//  The next ad begins at its own start, however late the tick was.
function leaveAd(state: AdBreak, facts: AdFact[]): AdStep {
  const index = state.index + 1;
  const next = { ...state, index, elapsed: 0, paused: false };
  const after: AdFact = index < state.ads ? { fact: 'start', index } : { fact: 'break_end' };
  return { next, facts: [...facts, after] };
}
