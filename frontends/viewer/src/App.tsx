//  App.tsx - the dashboard: counts, trends, the list of viewers, one viewer, the messages
import { useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react';
import type { Connection, Picture } from './connection';
import { Counts } from './Counts';
import { Detail } from './Detail';
import { type Filter, type Order, isPartial, selectViewers } from './live';
import { Messages } from './Messages';
import { Notice } from './Notice';
import { STATES, STATUSES } from './protocol';
import { TopMedia } from './TopMedia';
import { Trends } from './Trends';
import { ViewerList } from './ViewerList';
import { STATE_WORDS, STATUS_WORDS, count } from './words';

const CLOCK_MS = 500;

//  The local time, again and again: positions and ages move between frames.
function useNow(): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = window.setInterval(() => setNow(Date.now()), CLOCK_MS);
    return () => window.clearInterval(timer);
  }, []);
  return now;
}

function firstFilter(): Filter {
  const asked = new URLSearchParams(window.location.search);
  return { text: asked.get('q') ?? '', status: asked.get('status') ?? '', order: 'change' };
}

export function App({ connection }: { connection: Connection }) {
  const picture = useSyncExternalStore(connection.subscribe, connection.read);
  const now = useNow();
  const [filter, setFilter] = useState(firstFilter);
  const [chosen, setChosen] = useState<string | null>(null);
  const chooser = useRef<HTMLDivElement>(null);
  const { live, version } = picture;
  const serverNow = now + live.clockOffsetMs;
  // the model changes in place: its version stands for it
  const rows = useMemo(() => selectViewers(live.viewers.values(), filter), [version, filter]);

  const close = (): void => {
    setChosen(null);
    chooser.current?.focus();
  };

  return (
    <div className={picture.lostSinceMs === null ? 'page' : 'page old'}>
      <header>
        <h1>
          Usher <span>live viewers</span>
        </h1>
        <LinkChip picture={picture} />
      </header>
      <Notice picture={picture} now={now} onRetry={() => connection.retryNow()} />
      <Counts live={live} />
      <Trends stats={live.stats} />
      <main>
        <section className="panel viewers" aria-label="Viewers">
          <FilterBar
            filter={filter}
            onChange={setFilter}
            shown={rows.length}
            all={live.viewers.size}
          />
          <ViewerList
            rows={rows}
            chosen={chosen}
            serverNow={serverNow}
            known={live.known}
            focusRef={chooser}
            onChoose={setChosen}
          />
        </section>
        <aside>
          {chosen !== null ? (
            <Detail
              viewerId={chosen}
              viewer={live.viewers.get(chosen)}
              serverNow={serverNow}
              onClose={close}
            />
          ) : (
            <TopMedia
              stats={live.stats}
              partial={isPartial(live)}
              onChoose={(text) => setFilter({ ...filter, text })}
            />
          )}
          <Messages messages={live.messages} seen={live.messagesSeen} onChoose={setChosen} />
        </aside>
      </main>
    </div>
  );
}

const LINK_WORDS = { connecting: 'Connecting', open: 'Live', lost: 'Connection lost' } as const;

function LinkChip({ picture }: { picture: Picture }) {
  const { link } = picture.link;
  return (
    <span className={`link ${link}`} data-testid="connection" data-link={link} role="status">
      {LINK_WORDS[link]}
    </span>
  );
}

interface FilterBarProps {
  filter: Filter;
  onChange: (filter: Filter) => void;
  shown: number;
  all: number;
}

function FilterBar({ filter, onChange, shown, all }: FilterBarProps) {
  return (
    <div className="filter" role="search">
      <input
        type="search"
        data-testid="filter-text"
        aria-label="Find a viewer or a title"
        placeholder="Find a viewer or a title"
        value={filter.text}
        onChange={(event) => onChange({ ...filter, text: event.target.value })}
      />
      <select
        data-testid="filter-status"
        aria-label="Status"
        value={filter.status}
        onChange={(event) => onChange({ ...filter, status: event.target.value })}
      >
        <option value="">Every status</option>
        <optgroup label="Status">
          {STATUSES.map((status) => (
            <option key={status} value={status}>
              {STATUS_WORDS[status]}
            </option>
          ))}
        </optgroup>
        <optgroup label="State">
          {STATES.map((state) => (
            <option key={state} value={state}>
              {STATE_WORDS[state]}
            </option>
          ))}
        </optgroup>
      </select>
      <select
        data-testid="order"
        aria-label="Order"
        value={filter.order}
        onChange={(event) => onChange({ ...filter, order: event.target.value as Order })}
      >
        <option value="change">Latest change first</option>
        <option value="viewer">By viewer</option>
        <option value="title">By title</option>
      </select>
      <output data-testid="shown">
        {shown === all ? count(all) : `${count(shown)} of ${count(all)}`}
      </output>
    </div>
  );
}
