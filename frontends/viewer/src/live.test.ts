//  live.test.ts - frames in, picture out
import { beforeEach, describe, expect, test } from 'vitest';
import {
  type Live,
  MESSAGE_LIMIT,
  TREND_LIMIT,
  applyFrame,
  dropSnapshot,
  historyKey,
  isPartial,
  mainSession,
  newLive,
  positionAt,
  progressAt,
  selectViewers,
} from './live';
import type { Message, Session, Stats, Viewer } from './protocol';

const T0 = Date.parse('2026-03-01T12:00:00.000Z');
const iso = (seconds: number): string => new Date(T0 + seconds * 1000).toISOString();

function session(change: Partial<Session> = {}): Session {
  return {
    session_id: 's1',
    media_label: 'Aurora',
    media_type: 'video',
    player_type: 'html5',
    live: false,
    state: 'WATCHING',
    status: 'WATCHING_VIDEO',
    since: iso(0),
    last_seen: iso(0),
    position: 10,
    duration: 60,
    percent: 16,
    playback_rate: 1,
    volume: 100,
    muted: false,
    fullscreen: false,
    picture_in_picture: false,
    quality: '',
    bitrate: null,
    frame_rate: null,
    ads: 0,
    ads_clicked: 0,
    ads_skipped: 0,
    ads_completed: 0,
    ad_breaks: 0,
    skip_streak: 0,
    ad: null,
    ad_break: null,
    time_played: 10,
    time_paused: null,
    time_buffering: null,
    time_in_ads: null,
    time_muted: null,
    content_watched: 10,
    average_rate: null,
    startup_ms: null,
    exit_before_start: false,
    stalls: 0,
    rebuffering_ratio: null,
    bitrate_changes: 0,
    errors: 0,
    last_error: '',
    platform: 'web',
    app_id: 'usher-demo',
    device: 'desktop',
    os: 'linux',
    country: '',
    city: '',
    epoch: 1,
    version: 1,
    ...change,
  };
}

function viewer(viewer_id: string, change: Partial<Viewer> = {}): Viewer {
  return {
    viewer_id,
    user_id: null,
    status: 'WATCHING_VIDEO',
    state: 'WATCHING',
    since: iso(0),
    last_seen: iso(0),
    partial: false,
    totals: {
      sessions: 1,
      time_played: 10,
      time_paused: 0,
      time_buffering: 0,
      time_in_ads: 0,
      time_muted: 0,
      content_watched: 10,
      ads: 0,
      ads_clicked: 0,
      ads_skipped: 0,
      ads_completed: 0,
      ad_breaks: 0,
      stalls: 0,
      errors: 0,
    },
    sessions: [session()],
    ...change,
  };
}

const NONE = { sessions: 0, p50: null, p75: null, p90: null, p95: null, p99: null };
const NO_KEYS = { keys: [], other_sessions: 0 };
const STATS: Stats = {
  now: iso(5),
  concurrent_sessions: 3,
  concurrent_viewers: 2,
  live_viewers: 4,
  sessions_by_state: { WATCHING: 3 },
  sessions_by_status: { WATCHING_VIDEO: 3 },
  ads: {
    breaks: 0,
    started: 0,
    skipped: 0,
    clicked: 0,
    completed: 0,
    completion_rate: null,
    skip_rate: null,
    click_rate: null,
  },
  rebuffering: 0,
  errors: 0,
  exits_before_start: 0,
  startup_ms: NONE,
  rebuffering_ratio: NONE,
  top_media: [],
  by: { state: NO_KEYS, medium: NO_KEYS, country: NO_KEYS, device: NO_KEYS, app: NO_KEYS },
  messages_per_second: 0,
  partial: false,
};

const message = (event_id: string): Message => ({
  viewer_id: 'ann',
  collector_tstamp: iso(0),
  event_id,
  event_name: 'play_event',
  video_ts: 0,
  adsClicked: 0,
  adsSkipped: 0,
  adId: 0,
  status: 'WATCHING_VIDEO',
});

let live: Live;
beforeEach(() => {
  live = newLive();
});

const ids = (): string[] => [...live.viewers.keys()];
const page = (viewers: string[], last: boolean, reset = false): void =>
  applyFrame(live, { type: 'snapshot', viewers: viewers.map((id) => viewer(id)), last, reset }, T0);
const change = (of: Viewer, seq = 1): void =>
  applyFrame(live, { type: 'viewer', viewer: of, epoch: 1, seq }, T0);

describe('snapshots and changes', () => {
  test('a snapshot of two pages is shown when it is whole', () => {
    page(['ann'], false, true);
    expect(live).toMatchObject({ known: false });
    expect(ids()).toEqual([]);
    expect(isPartial(live)).toBe(true);
    page(['bob'], true);
    expect(ids()).toEqual(['ann', 'bob']);
    expect(live.known).toBe(true);
    expect(isPartial(live)).toBe(false);
  });

  test('an empty snapshot is a whole one', () => {
    page([], true, true);
    expect(live.known).toBe(true);
  });

  test('a new snapshot replaces everything', () => {
    page(['ann', 'bob'], true, true);
    page(['cleo'], true, true);
    expect(ids()).toEqual(['cleo']);
  });

  test('a reset in mid-snapshot forgets the pages so far', () => {
    page(['ann'], false, true);
    page(['bob'], true, true);
    expect(ids()).toEqual(['bob']);
  });

  test('changes between pages belong to the new picture', () => {
    page(['old'], true, true);
    page(['ann', 'bob'], false, true);
    change(viewer('ann', { state: 'PAUSED', status: 'PAUSED_VIDEO' }));
    applyFrame(live, { type: 'gone', viewer_id: 'bob', epoch: 1, seq: 2 }, T0);
    expect(ids()).toEqual(['old']);
    page(['cleo'], true);
    expect(ids()).toEqual(['ann', 'cleo']);
    expect(live.viewers.get('ann')?.state).toBe('PAUSED');
  });

  test('a lost connection drops a half snapshot and keeps the old picture', () => {
    page(['old'], true, true);
    page(['ann'], false, true);
    dropSnapshot(live);
    expect(ids()).toEqual(['old']);
    expect(live.known).toBe(false);
    expect(isPartial(live)).toBe(false);
  });

  test('a viewer comes, changes and goes', () => {
    page([], true, true);
    change(viewer('ann'));
    change(viewer('ann', { state: 'AD', status: 'WATCHING_AD' }), 2);
    expect(live.viewers.get('ann')?.status).toBe('WATCHING_AD');
    applyFrame(live, { type: 'gone', viewer_id: 'ann', epoch: 1, seq: 3 }, T0);
    expect(ids()).toEqual([]);
  });

  test('every frame raises the version', () => {
    const before = live.version;
    change(viewer('ann'));
    expect(live.version).toBeGreaterThan(before);
  });
});

describe('messages and stats', () => {
  test('the last messages are kept, newest first', () => {
    for (let i = 1; i <= MESSAGE_LIMIT + 5; i += 1) {
      applyFrame(live, { type: 'message', message: message(`e${i}`) }, T0);
    }
    expect(live.messages).toHaveLength(MESSAGE_LIMIT);
    expect(live.messages[0]).toMatchObject({ number: 205, message: { event_id: 'e205' } });
    expect(live.messagesSeen).toBe(MESSAGE_LIMIT + 5);
  });

  test('stats set the counts, the trend and the clock', () => {
    applyFrame(live, { type: 'stats', stats: STATS }, T0);
    expect(live.stats?.concurrent_sessions).toBe(3);
    expect(live.trend).toEqual([3]);
    expect(live.clockOffsetMs).toBe(5000);
  });

  test('the trend is bounded', () => {
    for (let i = 0; i < TREND_LIMIT + 10; i += 1) {
      applyFrame(live, { type: 'stats', stats: { ...STATS, concurrent_sessions: i } }, T0);
    }
    expect(live.trend).toHaveLength(TREND_LIMIT);
    expect(live.trend.at(-1)).toBe(TREND_LIMIT + 9);
  });

  test('partial stats say so', () => {
    applyFrame(live, { type: 'stats', stats: { ...STATS, partial: true } }, T0);
    expect(isPartial(live)).toBe(true);
  });

  test('hello sets the clock; an unreadable instant leaves it', () => {
    applyFrame(live, { type: 'hello', epoch: 1, now: iso(-2) }, T0);
    expect(live.clockOffsetMs).toBe(-2000);
    applyFrame(live, { type: 'hello', epoch: 1, now: 'soon' }, T0);
    expect(live.clockOffsetMs).toBe(-2000);
  });
});

describe('position', () => {
  test('a film that plays moves on at its rate', () => {
    expect(positionAt(session(), T0 + 5000)).toBe(15);
    expect(positionAt(session({ playback_rate: 2 }), T0 + 5000)).toBe(20);
    expect(positionAt(session({ playback_rate: null }), T0 + 5000)).toBe(15);
  });

  test('never past its end, never back', () => {
    expect(positionAt(session(), T0 + 3_600_000)).toBe(60);
    expect(positionAt(session(), T0 - 5000)).toBe(10);
    expect(positionAt(session({ duration: null }), T0 + 100_000)).toBe(110);
  });

  test.each(['PAUSED', 'AD', 'REBUFFERING', 'LOST', 'ENDED'] as const)('stands in %s', (state) => {
    expect(positionAt(session({ state }), T0 + 5000)).toBe(10);
  });

  test('what is not known stays unknown', () => {
    expect(positionAt(session({ position: null }), T0)).toBeNull();
    expect(progressAt(session({ duration: null }), T0)).toBeNull();
    expect(progressAt(session({ duration: 0 }), T0)).toBeNull();
  });

  test('progress is a part of the whole', () => {
    expect(progressAt(session(), T0 + 5000)).toBe(0.25);
  });
});

describe('choosing viewers', () => {
  const paused = { state: 'PAUSED', status: 'PAUSED_VIDEO' } as const;
  const all = [
    viewer('ann', { since: iso(1) }),
    viewer('Bob', { since: iso(3), ...paused }),
    viewer('cleo', { since: iso(2), sessions: [session({ media_label: 'Embers' })] }),
  ];
  const choose = (change: Partial<Parameters<typeof selectViewers>[1]>): string[] =>
    selectViewers(all, { text: '', status: '', order: 'change', ...change }).map(
      (v) => v.viewer_id,
    );

  test('the latest change comes first', () => {
    expect(choose({})).toEqual(['Bob', 'cleo', 'ann']);
  });

  test('other orders', () => {
    expect(choose({ order: 'viewer' })).toEqual(['Bob', 'ann', 'cleo']);
    expect(choose({ order: 'title' })).toEqual(['Bob', 'ann', 'cleo']);
  });

  test('text finds viewers and titles in any case', () => {
    expect(choose({ text: ' BOB ' })).toEqual(['Bob']);
    expect(choose({ text: 'ember' })).toEqual(['cleo']);
    expect(choose({ text: 'nobody' })).toEqual([]);
  });

  test('a status or a state selects', () => {
    expect(choose({ status: 'PAUSED_VIDEO' })).toEqual(['Bob']);
    expect(choose({ status: 'WATCHING' })).toEqual(['cleo', 'ann']);
  });
});

describe('one viewer', () => {
  const two = viewer('ann', {
    state: 'WATCHING',
    sessions: [
      session({ session_id: 'a', state: 'PAUSED', last_seen: iso(9), ads: 2, time_played: 5 }),
      session({ session_id: 'b', state: 'WATCHING', last_seen: iso(1), ads: 1, time_played: 7 }),
    ],
  });

  test('the session with the viewer’s state speaks for it', () => {
    expect(mainSession(two)?.session_id).toBe('b');
    expect(mainSession(viewer('x', { sessions: [] }))).toBeUndefined();
  });

  test('a ping leaves the history key, a change of state or counter does not', () => {
    const key = historyKey(viewer('a'));
    const with_ = (s: Partial<Session>): string =>
      historyKey(viewer('a', { sessions: [session(s)] }));
    expect(with_({ position: 40, last_seen: iso(30) })).toBe(key);
    expect(with_({ state: 'PAUSED' })).not.toBe(key);
    expect(with_({ ads_clicked: 1 })).not.toBe(key);
  });
});
