//  protocol.ts - what the gateway says: /v1/live frames, the history and the series answer
//
//  Instants are ISO 8601 text, durations seconds unless a name ends otherwise.
//  Unknown text is "", an unknown number null.

export const STATES = [
  'WATCHING',
  'STARTING',
  'REBUFFERING',
  'SEEKING',
  'AD',
  'AD_PAUSED',
  'PAUSED',
  'ENDED',
  'FAILED',
  'LOST',
] as const;
export type State = (typeof STATES)[number];

export const STATUSES = [
  'WATCHING_VIDEO',
  'WATCHING_AD',
  'PAUSED_VIDEO',
  'COMPLETED_VIDEO',
] as const;
export type Status = (typeof STATUSES)[number];

export interface Session {
  session_id: string;
  media_label: string;
  media_type: string;
  player_type: string;
  live: boolean;
  state: State;
  status: Status;
  since: string;
  last_seen: string;
  position: number | null;
  duration: number | null;
  percent: number | null;
  playback_rate: number | null;
  volume: number | null;
  muted: boolean;
  fullscreen: boolean;
  picture_in_picture: boolean;
  quality: string;
  bitrate: number | null;
  frame_rate: number | null;
  ads: number;
  ads_clicked: number;
  ads_skipped: number;
  ads_completed: number;
  ad_breaks: number;
  skip_streak: number;
  ad: {
    ad_id: number | string;
    name: string;
    creative_id: string;
    pod_position: number | null;
    duration: number | null;
    skippable: boolean | null;
    quartile: number;
  } | null;
  ad_break: { break_id: string; name: string; type: string } | null;
  time_played: number | null;
  time_paused: number | null;
  time_buffering: number | null;
  time_in_ads: number | null;
  time_muted: number | null;
  content_watched: number | null;
  average_rate: number | null;
  startup_ms: number | null;
  exit_before_start: boolean;
  stalls: number;
  rebuffering_ratio: number | null;
  bitrate_changes: number;
  errors: number;
  last_error: string;
  platform: string;
  app_id: string;
  device: 'unknown' | 'desktop' | 'phone' | 'tablet' | 'tv' | 'console' | 'other';
  os: string;
  country: string;
  city: string;
  epoch: number;
  version: number;
}

export interface Totals {
  sessions: number;
  time_played: number;
  time_paused: number;
  time_buffering: number;
  time_in_ads: number;
  time_muted: number;
  content_watched: number;
  ads: number;
  ads_clicked: number;
  ads_skipped: number;
  ads_completed: number;
  ad_breaks: number;
  stalls: number;
  errors: number;
}

export interface Viewer {
  viewer_id: string;
  user_id: string | null;
  status: Status;
  state: State;
  since: string;
  last_seen: string;
  partial: boolean;
  totals: Totals;
  sessions: Session[];
}

export interface Message {
  viewer_id: string;
  collector_tstamp: string;
  event_id: string;
  event_name: string;
  video_ts: number;
  adsClicked: number;
  adsSkipped: number;
  adId: number | string;
  status: Status;
}

export interface HistoryRow extends Message {
  state: State;
  session_id: string;
  media_label: string;
}

export interface Stats {
  now: string;
  concurrent_sessions: number;
  concurrent_viewers: number;
  live_viewers: number;
  sessions_by_state: Partial<Record<State, number>>;
  sessions_by_status: Partial<Record<Status, number>>;
  ads: {
    breaks: number;
    started: number;
    skipped: number;
    clicked: number;
    completed: number;
    completion_rate: number | null;
    skip_rate: number | null;
    click_rate: number | null;
  };
  rebuffering: number;
  errors: number;
  exits_before_start: number;
  startup_ms: Percentiles;
  rebuffering_ratio: Percentiles;
  top_media: { media_label: string; sessions: number; viewers: number }[];
  by: Record<Dimension, Spread>;
  messages_per_second: number;
  partial: boolean;
}

//  The largest keys of a dimension, and the sessions of all others.
export interface Spread {
  keys: { key: string; sessions: number; viewers: number }[];
  other_sessions: number;
}

export type Dimension = 'state' | 'medium' | 'country' | 'device' | 'app';

//  null: of no session is it known.
export type Percentiles = { sessions: number } & Record<
  'p50' | 'p75' | 'p90' | 'p95' | 'p99',
  number | null
>;

//  /v1/stats/series: a column has a number for each step, null where nobody counted.
export interface Series {
  step_s: number;
  from: string;
  to: string;
  seconds: number[];
  partial_seconds: number[];
  columns: Record<string, (number | null)[]>;
}

export type Frame =
  | { type: 'hello'; epoch: number; now: string }
  | { type: 'snapshot'; viewers: Viewer[]; last: boolean; reset?: boolean }
  | { type: 'viewer'; viewer: Viewer; epoch: number; seq: number }
  | { type: 'gone'; viewer_id: string; epoch: number; seq: number }
  | { type: 'message'; message: Message }
  | { type: 'stats'; stats: Stats };
