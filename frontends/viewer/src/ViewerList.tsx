//  ViewerList.tsx - the viewers, of whom only those in sight are in the page
//
//  Every row has the same height, so the place of a row is a product and 10,000
//  viewers cost as much as twenty. The list is one tab stop: arrow keys move the
//  active row, Enter opens it.

import { type KeyboardEvent, type RefObject, useEffect, useLayoutEffect, useState } from 'react';
import { mainSession, positionAt, progressAt } from './live';
import type { Session, Viewer } from './protocol';
import { STATUS_WORDS, ago, clock, plural, stateBeside } from './words';

const ROW_HEIGHT = 54; // px, as in style.css
const MARGIN_ROWS = 6; // rendered above and below what is in sight

interface ViewerListProps {
  rows: Viewer[];
  chosen: string | null;
  serverNow: number;
  known: boolean;
  focusRef: RefObject<HTMLDivElement | null>;
  onChoose: (viewerId: string) => void;
}

export function ViewerList(props: ViewerListProps) {
  const { rows, chosen, serverNow, known, focusRef, onChoose } = props;
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(600);
  const [activeId, setActiveId] = useState<string | null>(null);

  useEffect(() => {
    const box = focusRef.current;
    if (!box) return;
    const watch = new ResizeObserver(() => setHeight(box.clientHeight));
    watch.observe(box);
    return () => watch.disconnect();
  }, [focusRef]);

  //  A list that became shorter has moved the scroll position by itself.
  useLayoutEffect(() => setTop(focusRef.current?.scrollTop ?? 0), [focusRef, rows.length]);

  const move = (to: number): void => {
    const index = Math.max(0, Math.min(rows.length - 1, to));
    const box = focusRef.current;
    const row = rows[index];
    if (!box || !row) return;
    setActiveId(row.viewer_id);
    const rowTop = index * ROW_HEIGHT;
    if (rowTop < box.scrollTop) box.scrollTop = rowTop;
    const lowest = rowTop + ROW_HEIGHT - box.clientHeight;
    if (lowest > box.scrollTop) box.scrollTop = lowest;
  };

  const active = rows.findIndex((row) => row.viewer_id === activeId);
  const onKey = (event: KeyboardEvent): void => {
    const pageRows = Math.max(1, Math.floor(height / ROW_HEIGHT) - 1);
    const to: Record<string, number> = {
      ArrowDown: active + 1,
      ArrowUp: active - 1,
      PageDown: active + pageRows,
      PageUp: active - pageRows,
      Home: 0,
      End: rows.length - 1,
    };
    const target = to[event.key];
    if (target !== undefined) move(target);
    else if (event.key === 'Enter' && active >= 0 && activeId !== null) onChoose(activeId);
    else return;
    event.preventDefault();
  };

  const first = Math.max(0, Math.floor(top / ROW_HEIGHT) - MARGIN_ROWS);
  const last = Math.min(rows.length, Math.ceil((top + height) / ROW_HEIGHT) + MARGIN_ROWS);
  return (
    <>
      <div className="columns" aria-hidden="true">
        <span>Viewer</span>
        <span>Status</span>
        <span>Watching</span>
        <span>Position</span>
        <span>Ads</span>
        <span className="since">Since</span>
      </div>
      <div
        className="list"
        data-testid="viewers"
        ref={focusRef}
        role="listbox"
        tabIndex={0}
        aria-label={`${rows.length} viewers`}
        aria-activedescendant={active >= first && active < last ? `row-${activeId}` : undefined}
        onScroll={(event) => setTop(event.currentTarget.scrollTop)}
        onKeyDown={onKey}
      >
        <div style={{ height: rows.length * ROW_HEIGHT, position: 'relative' }}>
          {rows.slice(first, last).map((viewer, i) => (
            <Row
              key={viewer.viewer_id}
              viewer={viewer}
              index={first + i}
              rows={rows.length}
              active={viewer.viewer_id === activeId}
              chosen={viewer.viewer_id === chosen}
              serverNow={serverNow}
              onChoose={(id) => {
                setActiveId(id);
                onChoose(id);
              }}
            />
          ))}
        </div>
        {rows.length === 0 && (
          <p className="none">
            {known ? 'Nobody to show. Press play on the tracking page.' : 'Waiting for viewers…'}
          </p>
        )}
      </div>
    </>
  );
}

interface RowProps {
  viewer: Viewer;
  index: number;
  rows: number;
  active: boolean;
  chosen: boolean;
  serverNow: number;
  onChoose: (viewerId: string) => void;
}

function Row({ viewer, index, rows, active, chosen, serverNow, onChoose }: RowProps) {
  const session = mainSession(viewer);
  return (
    <div
      id={`row-${viewer.viewer_id}`}
      className={active ? 'row active' : 'row'}
      style={{ transform: `translateY(${index * ROW_HEIGHT}px)` }}
      data-testid={`row-${viewer.viewer_id}`}
      data-status={viewer.status}
      data-state={viewer.state}
      role="option"
      aria-selected={chosen}
      aria-posinset={index + 1}
      aria-setsize={rows}
      onClick={() => onChoose(viewer.viewer_id)}
    >
      <span className="who">
        <b title={viewer.viewer_id}>{viewer.viewer_id}</b>
        <small>
          {plural(viewer.sessions.length, 'session')}
          {viewer.partial && <em> partial</em>}
        </small>
      </span>
      <span>
        <i className="chip" data-status={viewer.status} data-state={viewer.state}>
          {STATUS_WORDS[viewer.status]}
        </i>
        <small>{stateBeside(viewer.state)}</small>
      </span>
      <span className="medium">
        <b title={session?.media_label}>{session?.media_label || 'no title'}</b>
        <small>{[session?.quality, session?.player_type].filter(Boolean).join(' · ')}</small>
      </span>
      {session ? <Position session={session} serverNow={serverNow} /> : <span />}
      {session ? <Ads session={session} /> : <span />}
      <span className="since">{ago(viewer.since, serverNow)}</span>
    </div>
  );
}

export function Position({ session, serverNow }: { session: Session; serverNow: number }) {
  const progress = progressAt(session, serverNow);
  return (
    <span className="position">
      <small>
        {clock(positionAt(session, serverNow))}
        {session.live ? ' live' : session.duration ? ` / ${clock(session.duration)}` : ''}
        {session.playback_rate !== null &&
          session.playback_rate !== 1 &&
          ` · ${session.playback_rate}×`}
      </small>
      <i className="track" data-state={session.state}>
        <i style={{ transform: `scaleX(${progress ?? 0})` }} />
      </i>
    </span>
  );
}

function Ads({ session }: { session: Session }) {
  if (session.ad) {
    return (
      <span className="ads">
        <b title={session.ad.name}>{session.ad.name || session.ad.ad_id}</b>
        <small>{session.ad.quartile ? `${session.ad.quartile} % seen` : 'begun'}</small>
      </span>
    );
  }
  if (session.ads === 0) return <span className="ads none">–</span>;
  return (
    <span className="ads">
      {session.ads} shown
      <small>
        {session.ads_skipped} skipped · {session.ads_clicked} clicked
      </small>
    </span>
  );
}
