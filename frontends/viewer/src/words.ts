//  words.ts - numbers, times and states as a person reads them
import type { State, Status } from './protocol';

export const STATUS_WORDS: Record<Status, string> = {
  WATCHING_VIDEO: 'Watching',
  WATCHING_AD: 'In an ad',
  PAUSED_VIDEO: 'Paused',
  COMPLETED_VIDEO: 'Completed',
};

export const STATE_WORDS: Record<State, string> = {
  WATCHING: 'Watching',
  STARTING: 'Starting',
  REBUFFERING: 'Rebuffering',
  SEEKING: 'Seeking',
  AD: 'Ad',
  AD_PAUSED: 'Ad paused',
  PAUSED: 'Paused',
  ENDED: 'Ended',
  FAILED: 'Failed',
  LOST: 'Lost',
};

//  What a state adds to its status, "" where that says it all.
const STATUS_SAYS_ALL = new Set<State>(['WATCHING', 'AD', 'PAUSED', 'ENDED']);

export function stateBeside(state: State): string {
  return STATUS_SAYS_ALL.has(state) ? '' : STATE_WORDS[state];
}

export function count(value: number | undefined): string {
  return value === undefined ? '–' : value.toLocaleString('en');
}

//  1 session, 2 sessions
export function plural(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? '' : 's'}`;
}

//  75 → 1:15, 3675 → 1:01:15
export function clock(seconds: number | null): string {
  if (seconds === null) return '–';
  const whole = Math.max(0, Math.floor(seconds));
  const two = (value: number): string => String(value).padStart(2, '0');
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}:${two(whole % 60)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(whole % 60)}`;
}

//  How long ago an instant was: 12 s, 3 min, 2 h, 5 d.
export function ago(instant: string, serverNowMs: number): string {
  const seconds = Math.max(0, Math.floor((serverNowMs - Date.parse(instant)) / 1000));
  if (Number.isNaN(seconds)) return '–';
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

export function timeOfDay(instant: string): string {
  const at = new Date(instant);
  return Number.isNaN(at.getTime()) ? instant : at.toLocaleTimeString([], { hour12: false });
}

//  play_event → play
export function eventWord(name: string): string {
  return name.replace(/_event$/, '').replaceAll('_', ' ');
}
