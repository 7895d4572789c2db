//  screen.ts - what the page shows of a film and its player

import type { AdBreak } from './adbreak';
import { type Film, RENDITIONS } from './films';

export interface Screen {
  film: Film;
  ready: boolean; // the film is loaded
  failed: string | null; // why it could not be
  begun: boolean; // play was pressed in this playback
  playing: boolean;
  ended: boolean;
  stalled: boolean;
  position: number; // s
  duration: number; // s, 0 while unknown
  volume: number; // 0..1
  muted: boolean;
  rate: number;
  quality: string;
  fullscreen: boolean;
  pictureInPicture: boolean;
  adBreak: AdBreak | null;
}

//  Before the film is loaded.
export function newScreen(film: Film, video: HTMLVideoElement): Screen {
  return {
    film,
    ready: false,
    failed: null,
    begun: false,
    playing: false,
    ended: false,
    stalled: false,
    position: 0,
    duration: 0,
    volume: video.volume,
    muted: video.muted,
    rate: 1,
    quality: RENDITIONS[1]?.label ?? '',
    fullscreen: false,
    pictureInPicture: false,
    adBreak: null,
  };
}
