//  Trends.tsx - the last hour and day, start-up, rebuffering and ads in figures, and what sessions are spread over
import { memo, useEffect, useState } from 'react';
import type { Dimension, Percentiles, Series, State, Stats } from './protocol';
import { fetchSeries, gapsOf, runsOf } from './series';
import { largest } from './spread';
import { STATE_WORDS, count } from './words';

const COLUMN = 'concurrent_viewers';
const KEYS = 5;

//  Asked for again and again; the last answer stays while there is no newer one.
function useSeries(resolution: '1s' | '1m', everyMs: number): Series | null {
  const [series, setSeries] = useState<Series | null>(null);
  useEffect(() => {
    const off = new AbortController();
    const ask = (): void => {
      fetchSeries(resolution, COLUMN, off.signal).then(setSeries, () => undefined);
    };
    ask();
    const timer = window.setInterval(ask, everyMs);
    return () => {
      off.abort();
      window.clearInterval(timer);
    };
  }, [resolution, everyMs]);
  return series;
}

export function Trends({ stats }: { stats: Stats | null }) {
  return (
    <section className="panel trends" aria-label="Trends">
      <Chart name="Viewers, last hour" id="hour" since="1 h ago" series={useSeries('1s', 10_000)} />
      <Chart name="Viewers, last day" id="day" since="1 d ago" series={useSeries('1m', 60_000)} />
      <Quality stats={stats} />
      <Spread stats={stats} />
    </section>
  );
}

interface ChartProps {
  name: string;
  id: string;
  since: string;
  series: Series | null;
}

//  A line from zero for each run of points; gaps are shaded. Drawn only when there is a new answer.
const Chart = memo(function Chart({ name, id, since, series }: ChartProps) {
  const values = series?.columns[COLUMN] ?? [];
  const gaps = gapsOf(values);
  const most = Math.max(0, ...values.map((value) => value ?? 0));
  const y = (value: number): number => 30 - (30 * value) / Math.max(1, most * 1.1);
  return (
    <div>
      <h2>
        {name} <small>at most {count(Math.round(most))}</small>
      </h2>
      <svg
        data-testid={`chart-${id}`}
        viewBox={`0 0 ${Math.max(1, values.length)} 30`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${name}: at most ${count(Math.round(most))}`}
      >
        {gaps.map(({ from, size }) => (
          <rect key={from} className="gap" x={from} y="0" width={size} height="30" />
        ))}
        {runsOf(values).map((run) => (
          <polyline
            key={run.from}
            points={[...run.values, run.values.at(-1)!]
              .map((value, at) => `${run.from + at},${y(value)}`)
              .join(' ')}
          />
        ))}
      </svg>
      <small className="axis">
        <span>{since}</span>
        {gaps.length > 0 && <span>shaded: nobody counted</span>}
        <span>now</span>
      </small>
    </div>
  );
});

const PERCENTILES = ['p50', 'p75', 'p90', 'p95', 'p99'] as const;

function Quality({ stats }: { stats: Stats | null }) {
  const rows: [string, Percentiles | undefined, (value: number) => string][] = [
    ['start within', stats?.startup_ms, (value) => `${(value / 1000).toFixed(2)} s`],
    ['rebuffer below', stats?.rebuffering_ratio, (value) => percent(value)],
  ];
  return (
    <div>
      <table>
        <thead>
          <tr>
            <th>Of all sessions</th>
            {PERCENTILES.map((name) => (
              <th key={name}>{name.slice(1)} %</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(([name, of, words]) => (
            <tr key={name}>
              <th>{name}</th>
              {PERCENTILES.map((at) => {
                const value = of?.[at] ?? null;
                return <td key={at}>{value === null ? '–' : words(value)}</td>;
              })}
            </tr>
          ))}
        </tbody>
      </table>
      <small className="ad-rates" data-testid="ad-rates">
        Ads: {percent(stats?.ads.completion_rate)} completed, {percent(stats?.ads.skip_rate)}{' '}
        skipped, {percent(stats?.ads.click_rate)} clicked
      </small>
    </div>
  );
}

function percent(share: number | null | undefined): string {
  return share === null || share === undefined ? '–' : `${(100 * share).toFixed(1)} %`;
}

const DIMENSIONS: Record<Dimension, string> = {
  medium: 'Title',
  country: 'Country',
  device: 'Device',
  app: 'App',
  state: 'State',
};

//  States have words; a key that no event told has none.
function keyWord(by: Dimension, key: string): string {
  return (by === 'state' && STATE_WORDS[key as State]) || key || 'not known';
}

function Spread({ stats }: { stats: Stats | null }) {
  const [by, setBy] = useState<Dimension>('device');
  const { keys, others } = largest(stats?.by[by], KEYS);
  return (
    <div>
      <table data-testid="spread">
        <thead>
          <tr>
            <th>
              <select
                aria-label="Spread over"
                value={by}
                onChange={(event) => setBy(event.target.value as Dimension)}
              >
                {Object.entries(DIMENSIONS).map(([name, words]) => (
                  <option key={name} value={name}>
                    {words}
                  </option>
                ))}
              </select>
            </th>
            <th>Sessions</th>
            <th>Viewers</th>
          </tr>
        </thead>
        <tbody>
          {keys.map(({ key, sessions, viewers }) => (
            <tr key={key}>
              <th title={key}>{keyWord(by, key)}</th>
              <td>{count(sessions)}</td>
              <td>{count(viewers)}</td>
            </tr>
          ))}
          {others > 0 && (
            <tr className="others">
              <th>others</th>
              <td>{count(others)}</td>
              <td title="One viewer may be counted under several keys">–</td>
            </tr>
          )}
        </tbody>
      </table>
    </div>
  );
}
