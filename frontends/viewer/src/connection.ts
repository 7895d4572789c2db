//  connection.ts - the WebSocket to /v1/live: opened, watched, opened again
//
//  The gateway sends stats each second, so silence means that the connection is
//  dead even where TCP has not noticed. After a loss it is tried again with a
//  growing, jittered pause, so that a restarted gateway isn't stormed. Frames are
//  applied as they come, but the page is told at most every NOTIFY_MS.

import { type Live, applyFrame, dropSnapshot, newLive } from './live';
import type { Frame } from './protocol';

export type Link =
  { link: 'connecting' } | { link: 'open' } | { link: 'lost'; retryAtMs: number; attempt: number };

export interface Picture {
  live: Live;
  version: number;
  link: Link;
  lostSinceMs: number | null; // since when what is shown is old
}

const NOTIFY_MS = 150;
const SILENCE_MS = 10_000;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15_000;

//  The pause before attempt 1, 2, ...; random is 0..1 and takes up to half off.
export function pauseMs(attempt: number, random: number): number {
  const whole = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(attempt - 1, 20));
  return Math.round(whole * (1 - random / 2));
}

//  The address of the feed, beside the page that was served.
export function liveUrl(location: { protocol: string; host: string }): string {
  return `${location.protocol === 'https:' ? 'wss:' : 'ws:'}//${location.host}/v1/live`;
}

export class Connection {
  private readonly listeners = new Set<() => void>();
  private readonly live = newLive();
  private picture: Picture;
  private socket: WebSocket | null = null;
  private attempt = 0;
  private retryTimer = 0;
  private silenceTimer = 0;
  private notifyTimer = 0;

  constructor(private readonly url: string) {
    this.picture = {
      live: this.live,
      version: 0,
      link: { link: 'connecting' },
      lostSinceMs: null,
    };
    this.open();
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  read = (): Picture => this.picture;

  //  Tries at once instead of waiting for the pause to end.
  retryNow(): void {
    if (this.picture.link.link === 'lost') this.open();
  }

  private open(): void {
    window.clearTimeout(this.retryTimer);
    this.setLink({ link: 'connecting' });
    const socket = new WebSocket(this.url);
    this.socket = socket;
    this.expectNoise();
    socket.onopen = () => this.setLink({ link: 'open' });
    socket.onmessage = (event) => {
      if (this.socket === socket) this.receive(String(event.data));
    };
    socket.onclose = () => {
      if (this.socket === socket) this.lose();
    };
  }

  private receive(text: string): void {
    this.attempt = 0;
    this.expectNoise();
    applyFrame(this.live, JSON.parse(text) as Frame, Date.now());
    this.notifyTimer ||= window.setTimeout(() => this.notify(), NOTIFY_MS);
  }

  private expectNoise(): void {
    window.clearTimeout(this.silenceTimer);
    this.silenceTimer = window.setTimeout(() => this.lose(), SILENCE_MS);
  }

  private lose(): void {
    window.clearTimeout(this.silenceTimer);
    const socket = this.socket;
    this.socket = null;
    socket?.close();
    dropSnapshot(this.live);
    this.attempt += 1;
    const pause = pauseMs(this.attempt, Math.random());
    this.retryTimer = window.setTimeout(() => this.open(), pause);
    this.setLink({ link: 'lost', retryAtMs: Date.now() + pause, attempt: this.attempt });
  }

  private setLink(link: Link): void {
    const before = this.picture.lostSinceMs;
    const lostSinceMs = link.link === 'lost' ? (before ?? Date.now()) : before;
    this.picture = { ...this.picture, link, lostSinceMs };
    this.notify();
  }

  //  What is shown stays old until the new connection has sent a whole picture.
  private notify(): void {
    window.clearTimeout(this.notifyTimer);
    this.notifyTimer = 0;
    const { live } = this;
    const { link, lostSinceMs } = this.picture;
    const fresh = link.link === 'open' && live.filling === null && live.known;
    this.picture = {
      live,
      version: live.version,
      link,
      lostSinceMs: fresh ? null : lostSinceMs,
    };
    this.listeners.forEach((listener) => listener());
  }
}
