//  Counts.tsx - the numbers of the house, and how its sessions are spread
import type { Live } from './live';
import { STATES } from './protocol';
import { STATE_WORDS, count } from './words';

export function Counts({ live }: { live: Live }) {
  const { stats } = live;
  const ads = stats?.ads;
  return (
    <section className="counts" aria-label="Live counts">
      <div className="tile wide">
        <h2>Concurrent sessions</h2>
        <b data-testid="concurrent">{count(stats?.concurrent_sessions)}</b>
        <Trend values={live.trend} />
      </div>
      <Tile name="Unique viewers" id="concurrent-viewers" value={stats?.concurrent_viewers}>
        {count(stats?.live_viewers)} known
      </Tile>
      <Tile name="Rebuffering" id="rebuffering" value={stats?.rebuffering} warn>
        {share(stats?.rebuffering, stats?.concurrent_sessions)} of sessions
      </Tile>
      <Tile name="Errors" id="errors" value={stats?.errors} warn>
        in live sessions
      </Tile>
      <Tile name="Ads started" id="ads" value={ads?.started}>
        <span>{count(ads?.completed)} completed</span> · <span>{count(ads?.skipped)} skipped</span>{' '}
        · <span>{count(ads?.clicked)} clicked</span>
      </Tile>
      <Tile name="Messages a second" id="rate" value={stats?.messages_per_second}>
        {count(live.messagesSeen)} since you came
      </Tile>
      <States live={live} />
    </section>
  );
}

interface TileProps {
  name: string;
  id: string;
  value: number | undefined;
  warn?: boolean;
  children: React.ReactNode;
}

function Tile({ name, id, value, warn, children }: TileProps) {
  return (
    <div className={warn && value ? 'tile warn' : 'tile'}>
      <h2>{name}</h2>
      <b data-testid={id}>{count(value === undefined ? value : Math.round(value))}</b>
      <small>{children}</small>
    </div>
  );
}

function share(part: number | undefined, whole: number | undefined): string {
  if (part === undefined || !whole) return '0 %';
  return `${((100 * part) / whole).toFixed(1)} %`;
}

//  Concurrent sessions over the last minutes; the line begins at zero, so that a
//  small change does not look like a cliff.
function Trend({ values }: { values: number[] }) {
  if (values.length < 2) return <svg className="trend" aria-hidden="true" />;
  const top = Math.max(1, ...values) * 1.1;
  const points = values
    .map((value, i) => `${(i / (values.length - 1)) * 100},${30 - (value / top) * 30}`)
    .join(' ');
  return (
    <svg className="trend" viewBox="0 0 100 30" preserveAspectRatio="none" aria-hidden="true">
      <polygon points={`0,30 ${points} 100,30`} />
      <polyline points={points} />
    </svg>
  );
}

function States({ live }: { live: Live }) {
  const by = live.stats?.sessions_by_state ?? {};
  const present = STATES.filter((state) => by[state]);
  return (
    <div className="states">
      <div className="bar" aria-hidden="true">
        {present.map((state) => (
          <i key={state} data-state={state} style={{ flexGrow: by[state] }} />
        ))}
      </div>
      <ul aria-label="Sessions by state">
        {present.map((state) => (
          <li key={state} data-testid={`state-${state}`} data-state={state}>
            {STATE_WORDS[state]} <b>{count(by[state])}</b>
          </li>
        ))}
        {present.length === 0 && <li className="none">No sessions yet</li>}
      </ul>
    </div>
  );
}
