//  settings.ts - what the page's address asks for
//
//  Every setting has a default, so the bare address works. A value that is not
//  a number or is out of range is ignored in favour of the default: the page is
//  typed by hand, and a typing slip should still show a film.

export interface Settings {
  collector: string; // where events are posted, no trailing slash
  user: string | null; // viewer named by the address; null = ask the text field
  film: string | null; // id of the first film
  pingSeconds: number;
  adSeconds: number; // length of one ad
  skipAfter: number; // seconds of an ad before it may be skipped
  adAt: number; // film second of the mid-roll break; 0 = none
  stallSeconds: number; // length of a stall by the "Stall" button
}

interface Range {
  name: string;
  fallback: number;
  min: number;
  max: number;
}

const PING: Range = { name: 'ping', fallback: 10, min: 1, max: 300 };
const AD_SECONDS: Range = { name: 'adSeconds', fallback: 10, min: 1, max: 120 };
const SKIP_AFTER: Range = { name: 'skipAfter', fallback: 2, min: 0, max: 120 };
const AD_AT: Range = { name: 'adAt', fallback: 15, min: 0, max: 3600 };
const STALL: Range = { name: 'stallSeconds', fallback: 4, min: 1, max: 120 };

export const COLLECTOR_PORT = 9090;

//  search is location.search, hostname location.hostname: a page that was
//  opened from another machine posts to that machine's collector.
export function readSettings(search: string, hostname: string): Settings {
  const params = new URLSearchParams(search);
  return {
    collector: collectorUrl(params.get('collector'), hostname),
    user: text(params.get('user')),
    film: text(params.get('film')),
    pingSeconds: number(params, PING),
    adSeconds: number(params, AD_SECONDS),
    skipAfter: number(params, SKIP_AFTER),
    adAt: number(params, AD_AT),
    stallSeconds: number(params, STALL),
  };
}

function collectorUrl(asked: string | null, hostname: string): string {
  const chosen = text(asked) ?? `http://${hostname || 'localhost'}:${COLLECTOR_PORT}`;
  const whole = /^https?:\/\//.test(chosen) ? chosen : `http://${chosen}`;
  return whole.replace(/\/+$/, '');
}

function text(value: string | null): string | null {
  const trimmed = value?.trim();
  return trimmed ? trimmed : null;
}

function number(params: URLSearchParams, range: Range): number {
  const asked = params.get(range.name);
  if (asked === null || asked.trim() === '') return range.fallback;
  const value = Number(asked);
  return value >= range.min && value <= range.max ? value : range.fallback;
}
