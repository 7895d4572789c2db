//  player.ts - one film in one <video>, and what is tracked of it
//
//  The video element's own events are the source of truth: buttons only ask the
//  element for something, and what really happened is tracked when the element
//  says so. Two things happen silently, as in real players: the film's pause for
//  an ad break, and its going on afterwards.
//
//  Each playback has its own media session id: a first play, and every replay.
//  The session begins when the film is ready, so that "ready" belongs to it.

import {
  endMediaTracking,
  startMediaTracking,
  trackMediaBufferEnd,
  trackMediaBufferStart,
  trackMediaEnd,
  trackMediaError,
  trackMediaFullscreenChange,
  trackMediaPause,
  trackMediaPictureInPictureChange,
  trackMediaPlay,
  trackMediaPlaybackRateChange,
  trackMediaQualityChange,
  trackMediaReady,
  trackMediaSeekEnd,
  trackMediaSeekStart,
  trackMediaVolumeChange,
  updateMediaTracking,
} from '@snowplow/browser-plugin-media';
import { type AdFact, type AdInput, isOver, startBreak, stepBreak } from './adbreak';
import { trackAdFact } from './adtracking';
import { type Film, POD, type Rendition } from './films';
import { type Screen, newScreen } from './screen';
import type { Settings } from './settings';

const AD_TICK_MS = 100;
const END_MARGIN_SECONDS = 1;
const FLUSH_MS = 1000; // how long the plugin may hold seek and volume events back
const BOUNDARIES = [10, 25, 50, 75, 90];
type MediaPlayerReading = ReturnType<FilmPlayer['reading']>;

export class FilmPlayer {
  private readonly listeners = new Set<() => void>();
  private readonly off = new AbortController();
  private screen: Screen;
  private session = '';
  private blobUrl = '';
  private breakId = '';
  private breaks = 0;
  private midrollDone = false;
  private silentPause = false; // the next pause event is the ad break's or the stall's
  private silentPlay = false; // the next play event is the film going on after it
  private seeking = false;
  private seekTracked: string | null = null; // the session that was told of the seek's start
  private buffering = false;
  private stallTimer = 0;
  private adTimer = 0;
  private lastTick = 0;

  constructor(
    private readonly video: HTMLVideoElement,
    private readonly stage: HTMLElement, // what goes full screen: the film and its overlays
    film: Film,
    private readonly settings: Settings,
  ) {
    this.screen = newScreen(film, video);
    this.listen();
    void this.load();
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  read = (): Screen => this.screen;

  //  Leaves the film. A film that was running is paused first, so that the
  //  viewer is not taken for watching it until the timeout.
  destroy(): void {
    if (this.screen.playing) trackMediaPause(this.media());
    this.off.abort();
    window.clearInterval(this.adTimer);
    window.clearTimeout(this.stallTimer);
    if (this.session) endMediaTracking({ id: this.session });
    this.video.pause();
    this.video.removeAttribute('src');
    this.video.load();
    if (this.blobUrl) URL.revokeObjectURL(this.blobUrl);
  }

  //  ------------------------------------------------------------------
  //  What the viewer asks for

  play(): void {
    if (this.screen.ended) this.replay();
    else this.start();
  }

  //  A stalled film stands already, so the element has nothing to tell.
  pause(): void {
    if (this.stallTimer) this.pauseStalled();
    else this.video.pause();
  }

  replay(): void {
    this.beginSession();
    this.video.currentTime = 0;
    this.start();
  }

  seek(position: number): void {
    this.video.currentTime = Math.max(0, Math.min(position, this.screen.duration));
  }

  toEnd(): void {
    this.midrollDone = true;
    this.seek(this.screen.duration - END_MARGIN_SECONDS);
  }

  setVolume(volume: number): void {
    this.video.muted = false;
    this.video.volume = volume;
  }

  toggleMuted(): void {
    this.video.muted = !this.video.muted;
  }

  setRate(rate: number): void {
    this.video.playbackRate = rate;
  }

  setQuality(rendition: Rendition): void {
    const previousQuality = this.screen.quality;
    if (previousQuality === rendition.label) return;
    trackMediaQualityChange({
      ...this.media(),
      previousQuality,
      newQuality: rendition.label,
      bitrate: rendition.bitrate,
      framesPerSecond: rendition.framesPerSecond,
      automatic: false,
    });
    this.show({ quality: rendition.label });
  }

  toggleFullscreen(): void {
    void (
      document.fullscreenElement ? document.exitFullscreen() : this.stage.requestFullscreen()
    ).catch(() => undefined);
  }

  togglePictureInPicture(): void {
    void (
      document.pictureInPictureElement
        ? document.exitPictureInPicture()
        : this.video.requestPictureInPicture()
    ).catch(() => undefined);
  }

  reportError(): void {
    trackMediaError({
      ...this.media(),
      errorCode: 'REPORTED',
      errorName: 'ViewerReport',
      errorDescription: 'The viewer reported a playback error',
    });
  }

  //  The film stands for a while as if the network were slow.
  stall(): void {
    if (!this.screen.playing || this.screen.adBreak || this.screen.stalled) return;
    this.silentPause = true;
    this.video.pause();
    this.bufferStart();
    this.stallTimer = window.setTimeout(() => this.endStall(), this.settings.stallSeconds * 1000);
  }

  //  A break of ads over the film, from whatever it was doing.
  startAdBreak(): void {
    if (!this.screen.ready || this.screen.adBreak) return;
    this.endStall();
    if (!this.screen.begun) this.trackPlay();
    this.midrollDone = true;
    this.holdFilm();
    this.breaks += 1;
    this.breakId = `${this.session}-${this.breaks}`;
    const { adSeconds, skipAfter } = this.settings;
    const first = startBreak(POD.length, adSeconds, skipAfter);
    this.show({ adBreak: first.next });
    first.facts.forEach((fact) => this.trackAd(fact));
    this.lastTick = performance.now();
    this.adTimer = window.setInterval(() => this.adTick(), AD_TICK_MS);
  }

  ad(input: Exclude<AdInput['input'], 'tick'>): void {
    this.stepAd({ input });
  }

  //  ------------------------------------------------------------------
  //  The film

  //  The whole film comes first: the server of this page knows no byte ranges,
  //  and without them a video cannot be sought.
  private async load(): Promise<void> {
    try {
      const answer = await fetch(this.screen.film.file, { signal: this.off.signal });
      if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
      const film = await answer.blob();
      if (this.off.signal.aborted) return;
      this.blobUrl = URL.createObjectURL(film);
      this.video.src = this.blobUrl;
    } catch (error) {
      if (this.off.signal.aborted) return;
      this.fail('LOAD', error instanceof Error ? error.message : String(error));
    }
  }

  private fail(errorCode: string, errorDescription: string): void {
    if (!this.session) this.beginSession();
    trackMediaError({ ...this.media(), errorCode, errorName: 'PlaybackError', errorDescription });
    this.show({ failed: errorDescription, playing: false });
  }

  private beginSession(): void {
    if (this.session) endMediaTracking({ id: this.session });
    this.session = uuid();
    this.breaks = 0;
    this.midrollDone = false;
    this.show({ begun: false, ended: false });
    startMediaTracking({
      id: this.session,
      player: { ...this.reading(), currentTime: 0, paused: true, ended: false },
      session: { startedAt: new Date() },
      pings: { pingInterval: this.settings.pingSeconds },
      boundaries: BOUNDARIES,
      filterOutRepeatedEvents: { flushTimeoutMs: FLUSH_MS },
    });
  }

  private start(): void {
    void this.video.play().catch(() => undefined); // refused: the element's own events tell
  }

  private trackPlay(): void {
    trackMediaPlay(this.media());
    this.show({ begun: true });
  }

  private listen(): void {
    const { video } = this;
    const on = (name: string, does: () => void, target: EventTarget = video): void =>
      target.addEventListener(name, does, { signal: this.off.signal });
    on('loadedmetadata', () => this.onReady());
    on('play', () => this.onPlay());
    on('pause', () => this.onPause());
    on('ended', () => this.onEnded());
    on('timeupdate', () => this.onTime());
    on('seeking', () => this.onSeeking());
    on('seeked', () => this.onSeeked());
    on('waiting', () => this.onWaiting());
    on('playing', () => this.bufferEnd());
    on('volumechange', () => this.onVolume());
    on('ratechange', () => this.onRate());
    on('error', () => video.src && this.fail('MEDIA', video.error?.message ?? 'unknown'));
    on('enterpictureinpicture', () => this.onPictureInPicture(true));
    on('leavepictureinpicture', () => this.onPictureInPicture(false));
    on('fullscreenchange', () => this.onFullscreen(), document);
  }

  private onReady(): void {
    this.show({ ready: true, duration: this.video.duration });
    this.beginSession();
    trackMediaReady(this.media());
  }

  private onPlay(): void {
    const silent = this.silentPlay;
    this.silentPlay = false;
    if (this.screen.adBreak) return this.holdFilm();
    this.show({ playing: true });
    if (!silent) this.trackPlay();
  }

  //  A media key can start the film under an ad.
  private holdFilm(): void {
    if (this.video.paused) return;
    this.silentPause = true;
    this.video.pause();
  }

  //  A video pauses itself just before it ends: that is the end, not a pause.
  private onPause(): void {
    const silent = this.silentPause || this.video.ended;
    this.silentPause = false;
    if (silent) return;
    this.show({ playing: false });
    if (!this.screen.adBreak) trackMediaPause(this.media());
  }

  private onEnded(): void {
    this.show({ playing: false, ended: true, position: this.video.currentTime });
    trackMediaEnd(this.media());
  }

  private onTime(): void {
    const before = this.screen.position;
    const position = this.video.currentTime;
    this.show({ position });
    updateMediaTracking(this.media());
    const { adAt } = this.settings;
    const reached = before < adAt && position >= adAt && this.screen.playing && !this.seeking;
    if (reached && !this.midrollDone) this.startAdBreak();
  }

  private onSeeking(): void {
    if (!this.seeking && this.screen.begun) {
      const from = { ...this.reading(), currentTime: this.screen.position };
      trackMediaSeekStart({ id: this.session, player: from });
      this.seekTracked = this.session;
    }
    this.seeking = true;
  }

  private onSeeked(): void {
    if (this.seekTracked === this.session) trackMediaSeekEnd(this.media());
    this.seekTracked = null;
    this.seeking = false;
    this.show({ position: this.video.currentTime });
  }

  //  Waiting for the first picture is start-up and waiting in a seek is the
  //  seek; neither is a stall.
  private onWaiting(): void {
    if (this.screen.playing && !this.seeking && this.video.currentTime > 0) this.bufferStart();
  }

  private bufferStart(): void {
    if (this.buffering) return;
    this.buffering = true;
    this.show({ stalled: true });
    trackMediaBufferStart(this.media());
  }

  private bufferEnd(): void {
    if (!this.buffering) return;
    this.buffering = false;
    this.show({ stalled: false });
    trackMediaBufferEnd(this.media());
  }

  private endStall(): void {
    if (!this.stallTimer) return;
    this.goOn();
    this.stopStalling();
  }

  private pauseStalled(): void {
    this.stopStalling();
    this.show({ playing: false });
    trackMediaPause(this.media());
  }

  private stopStalling(): void {
    window.clearTimeout(this.stallTimer);
    this.stallTimer = 0;
    this.bufferEnd();
  }

  private goOn(): void {
    this.silentPlay = this.video.paused;
    this.start();
  }

  private onVolume(): void {
    const previousVolume = percent(this.screen.volume);
    const { volume, muted } = this.video;
    this.show({ volume, muted });
    if (!this.session) return;
    trackMediaVolumeChange({ ...this.media(), previousVolume, newVolume: percent(volume) });
  }

  private onRate(): void {
    const previousRate = this.screen.rate;
    const rate = this.video.playbackRate;
    if (rate === previousRate) return;
    this.show({ rate });
    trackMediaPlaybackRateChange({ ...this.media(), previousRate, newRate: rate });
  }

  private onFullscreen(): void {
    const fullscreen = document.fullscreenElement === this.stage;
    if (fullscreen === this.screen.fullscreen) return;
    this.show({ fullscreen });
    trackMediaFullscreenChange({ ...this.media(), fullscreen });
  }

  private onPictureInPicture(pictureInPicture: boolean): void {
    this.show({ pictureInPicture });
    trackMediaPictureInPictureChange({ ...this.media(), pictureInPicture });
  }

  //  ------------------------------------------------------------------
  //  The ads

  private adTick(): void {
    const now = performance.now();
    const seconds = (now - this.lastTick) / 1000;
    this.lastTick = now;
    this.stepAd({ input: 'tick', seconds });
  }

  private stepAd(input: AdInput): void {
    const { adBreak } = this.screen;
    if (!adBreak) return;
    const { next, facts } = stepBreak(adBreak, input);
    this.show({ adBreak: next });
    facts.forEach((fact) => this.trackAd(fact));
    if (isOver(next)) this.leaveBreak();
  }

  //  After a break the film goes on, unless it had ended before (post-roll).
  private leaveBreak(): void {
    window.clearInterval(this.adTimer);
    this.show({ adBreak: null });
    if (!this.screen.ended) this.goOn();
  }

  private trackAd(fact: AdFact): void {
    const name = this.screen.ended
      ? 'post-roll'
      : this.screen.position > 0
        ? 'mid-roll'
        : 'pre-roll';
    trackAdFact(this.media(), { breakId: this.breakId, name }, fact, this.settings);
  }

  //  ------------------------------------------------------------------
  //  What the tracker and the page are told

  private media(): { id: string; player: MediaPlayerReading } {
    return { id: this.session, player: this.reading() };
  }

  //  The player as its entity. To the tracker a player that shows an ad or waits
  //  for data is not paused: its pings must go on.
  private reading() {
    const { video, screen } = this;
    const running = screen.adBreak ? !screen.adBreak.paused : screen.stalled || !video.paused;
    return {
      label: screen.film.title,
      mediaType: 'video' as MediaType,
      playerType: 'usher-html5',
      livestream: false,
      loop: false,
      duration: screen.duration || undefined,
      currentTime: video.currentTime,
      ended: video.ended,
      paused: !running,
      muted: video.muted,
      volume: percent(video.volume),
      playbackRate: video.playbackRate,
      quality: screen.quality,
      fullscreen: screen.fullscreen,
      pictureInPicture: screen.pictureInPicture,
    };
  }

  private show(change: Partial<Screen>): void {
    this.screen = { ...this.screen, ...change };
    this.listeners.forEach((listener) => listener());
  }
}

//  The plugin declares this enum but doesn't export it.
type MediaType = NonNullable<
  NonNullable<Parameters<typeof updateMediaTracking>[0]['player']>['mediaType']
>;

//  The schema wants whole numbers; the element has a fraction.
function percent(volume: number): number {
  return Math.round(volume * 100);
}

//  crypto.randomUUID is missing on plain http from another host.
function uuid(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
