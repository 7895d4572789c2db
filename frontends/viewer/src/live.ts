//  live.ts - the picture of all viewers, kept from the frames of /v1/live
//
//  Pure: frames and the local time go in, nothing is read from a clock or a
//  socket. The model is changed in place, because a copy of 10,000 viewers for
//  each frame is what makes a dashboard slow; `version` tells that it changed.
//
//  A snapshot comes in pages. Until its last page the old picture stays on
//  screen, marked as filling, and changes that arrive meanwhile go to the new
//  one: so nobody sees half a picture without being told.

import type { Frame, Message, Session, Stats, Viewer } from './protocol';

export const MESSAGE_LIMIT = 200;
export const TREND_LIMIT = 300; // stats frames: five minutes at one a second

export interface NumberedMessage {
  number: number;
  message: Message;
}

export interface Live {
  version: number;
  viewers: Map<string, Viewer>;
  filling: Map<string, Viewer> | null; // the snapshot that is under way
  known: boolean; // a whole snapshot has been received on this connection
  messages: NumberedMessage[]; // newest first
  messagesSeen: number;
  stats: Stats | null;
  trend: number[]; // concurrent sessions, oldest first
  clockOffsetMs: number; // server's clock - ours
}

export function newLive(): Live {
  return {
    version: 0,
    viewers: new Map(),
    filling: null,
    known: false,
    messages: [],
    messagesSeen: 0,
    stats: null,
    trend: [],
    clockOffsetMs: 0,
  };
}

//  Applies one frame that arrived at local time nowMs. A frame of an unknown
//  type changes nothing: a newer gateway may say more than we understand.
export function applyFrame(live: Live, frame: Frame, nowMs: number): void {
  live.version += 1;
  switch (frame.type) {
    case 'hello':
      return setClock(live, frame.now, nowMs);
    case 'snapshot':
      return applyPage(live, frame);
    case 'viewer':
      (live.filling ?? live.viewers).set(frame.viewer.viewer_id, frame.viewer);
      return;
    case 'gone':
      (live.filling ?? live.viewers).delete(frame.viewer_id);
      return;
    case 'message':
      return applyMessage(live, frame.message);
    case 'stats':
      return applyStats(live, frame.stats, nowMs);
  }
}

//  The connection is lost: a snapshot that was under way will not be finished,
//  and what is shown is old until the next one is whole.
export function dropSnapshot(live: Live): void {
  live.filling = null;
  live.known = false;
  live.version += 1;
}

function applyPage(live: Live, page: { viewers: Viewer[]; last: boolean; reset?: boolean }): void {
  if (page.reset || !live.filling) live.filling = new Map();
  for (const viewer of page.viewers) live.filling.set(viewer.viewer_id, viewer);
  if (!page.last) return;
  live.viewers = live.filling;
  live.filling = null;
  live.known = true;
}

function applyMessage(live: Live, message: Message): void {
  live.messagesSeen += 1;
  live.messages = [{ number: live.messagesSeen, message }, ...live.messages].slice(
    0,
    MESSAGE_LIMIT,
  );
}

function applyStats(live: Live, stats: Stats, nowMs: number): void {
  live.stats = stats;
  live.trend = [...live.trend, stats.concurrent_sessions].slice(-TREND_LIMIT);
  setClock(live, stats.now, nowMs);
}

function setClock(live: Live, serverNow: string, nowMs: number): void {
  const server = Date.parse(serverNow);
  if (!Number.isNaN(server)) live.clockOffsetMs = server - nowMs;
}

//  ----------------------------------------------------------------------
//  Readings

//  True where the counts or a viewer are known not to be complete.
export function isPartial(live: Live): boolean {
  return live.filling !== null || live.stats?.partial === true;
}

//  The session that speaks for its viewer: the one whose state the viewer has,
//  newest evidence first.
export function mainSession(viewer: Viewer): Session | undefined {
  let best: Session | undefined;
  for (const session of viewer.sessions) {
    if (!best || rank(viewer, session) > rank(viewer, best)) best = session;
  }
  return best;
}

function rank(viewer: Viewer, session: Session): number {
  const speaks = session.state === viewer.state ? 1e15 : 0;
  return speaks + (Date.parse(session.last_seen) || 0);
}

//  Where the film is now, in seconds: a film that plays moves on between two
//  pings by its own rate, and never past its end. null = not known.
export function positionAt(session: Session, serverNowMs: number): number | null {
  if (session.position === null) return null;
  if (session.state !== 'WATCHING') return session.position;
  const since = (serverNowMs - Date.parse(session.last_seen)) / 1000;
  const moved = Math.max(0, since || 0) * (session.playback_rate ?? 1);
  return Math.min(session.position + moved, session.duration ?? Infinity);
}

//  The part of the film that has been played, 0 to 1; null = not known (live).
export function progressAt(session: Session, serverNowMs: number): number | null {
  const position = positionAt(session, serverNowMs);
  if (position === null || !session.duration) return null;
  return Math.min(1, Math.max(0, position / session.duration));
}

export type Order = 'change' | 'viewer' | 'title';

export interface Filter {
  text: string; // part of a viewer id or of a title, any case
  status: string; // a status, a state, or '' for all
  order: Order;
}

const COMPARE: Record<Order, (a: Viewer, b: Viewer) => number> = {
  change: (a, b) => compare(b.since, a.since) || compare(a.viewer_id, b.viewer_id),
  viewer: (a, b) => compare(a.viewer_id, b.viewer_id),
  title: (a, b) => compare(titleOf(a), titleOf(b)) || compare(a.viewer_id, b.viewer_id),
};

//  The viewers that pass the filter, in its order.
export function selectViewers(viewers: Iterable<Viewer>, filter: Filter): Viewer[] {
  const text = filter.text.trim().toLowerCase();
  const chosen: Viewer[] = [];
  for (const viewer of viewers) {
    if (filter.status && viewer.status !== filter.status && viewer.state !== filter.status)
      continue;
    if (text && !mentions(viewer, text)) continue;
    chosen.push(viewer);
  }
  return chosen.sort(COMPARE[filter.order]);
}

function mentions(viewer: Viewer, text: string): boolean {
  return (
    viewer.viewer_id.toLowerCase().includes(text) ||
    viewer.sessions.some((session) => session.media_label.toLowerCase().includes(text))
  );
}

function titleOf(viewer: Viewer): string {
  return mainSession(viewer)?.media_label ?? '';
}

//  Plain code units: ISO instants sort by them, and it is far faster than
//  localeCompare over 10,000 rows.
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

//  Changes whenever the viewer's history has a new row.
export function historyKey(viewer: Viewer): string {
  return viewer.sessions
    .map((s) => [s.session_id, s.state, s.since, s.ads, s.ads_skipped, s.ads_clicked].join(' '))
    .join('|');
}
