//  tracking.ts - the Snowplow tracker of this page, and a journal of what it sent
//
//  Everything that leaves the page goes through the tracker's own queue; the
//  journal is filled from the tracker's hooks rather than from our calls, so it
//  also shows what the media plugin sends by itself (pings, percent progress).

import { SnowplowMediaPlugin } from '@snowplow/browser-plugin-media';
import { newTracker, setUserId, trackPageView } from '@snowplow/browser-tracker';

export interface Tracked {
  number: number;
  at: Date;
  name: string; // event name without the trailing _event
  detail: string;
}

export interface Delivery {
  sent: number; // events that the collector has answered with 200
  failed: number; // requests that got no good answer; the tracker tries again
  reachable: boolean | null; // null until the first answer
}

export interface Journal {
  tracked: readonly Tracked[]; // newest first
  delivery: Delivery;
}

const JOURNAL_LIMIT = 60;
const APP_ID = 'usher-demo';

let journal: Journal = { tracked: [], delivery: { sent: 0, failed: 0, reachable: null } };
let count = 0;
const listeners = new Set<() => void>();

export const journalStore = {
  subscribe(listener: () => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
  read: (): Journal => journal,
};

export function startTracker(collector: string, user: string): void {
  newTracker('usher', collector, {
    appId: APP_ID,
    eventMethod: 'post',
    //  Plain JSON: the same for the collector, and readable in the browser's tools.
    encodeBase64: false,
    contexts: { webPage: true },
    onRequestSuccess: (batch) => delivered(batch.length),
    onRequestFailure: () => undelivered(),
    plugins: [SnowplowMediaPlugin(), { afterTrack: (payload) => note(payload) }],
  });
  setUserId(user || null);
  trackPageView();
}

//  An empty name leaves the browser's own domain_userid as the viewer.
export function nameViewer(user: string): void {
  setUserId(user || null);
}

function note(payload: Record<string, unknown>): void {
  count += 1;
  const { name, detail } = describe(payload);
  const entry: Tracked = { number: count, at: new Date(), name, detail };
  publish({ ...journal, tracked: [entry, ...journal.tracked].slice(0, JOURNAL_LIMIT) });
}

function delivered(events: number): void {
  const { delivery } = journal;
  publish({
    ...journal,
    delivery: { ...delivery, sent: delivery.sent + events, reachable: true },
  });
}

function undelivered(): void {
  const { delivery } = journal;
  publish({
    ...journal,
    delivery: { ...delivery, failed: delivery.failed + 1, reachable: false },
  });
}

function publish(next: Journal): void {
  journal = next;
  listeners.forEach((listener) => listener());
}

//  iglu:vendor/play_event/jsonschema/1-0-0 is "play"; its data is the detail.
function describe(payload: Record<string, unknown>): { name: string; detail: string } {
  if (typeof payload.ue_pr !== 'string') {
    return { name: payload.e === 'pv' ? 'page_view' : String(payload.e), detail: '' };
  }
  const event = JSON.parse(payload.ue_pr) as {
    data: { schema: string; data: Record<string, unknown> };
  };
  const name = (event.data.schema.split('/')[1] ?? '').replace(/_event$/, '');
  const detail = Object.entries(event.data.data)
    .map(([key, value]) => `${key} ${String(value)}`)
    .join(', ');
  return { name, detail };
}
