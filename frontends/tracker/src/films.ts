//  films.ts - what is on tonight, and the ads that are shown in the breaks
//
//  The films are generated (film/make-film.sh). Ad ids are both numbers and
//  text, as in real campaigns: a number stays a number in the feed.

export interface Film {
  id: string;
  title: string; // the label of the medium in every event
  about: string;
  file: string;
  look: string; // CSS filter on the picture and its poster
  poster: string; // CSS background
}

export interface Ad {
  adId: string;
  creativeId: string;
  name: string;
  line: string;
  colours: [string, string];
}

export interface Rendition {
  label: string;
  bitrate: number; // bits a second, pretended: there is one file
  framesPerSecond: number;
}

const NORTH = 'linear-gradient(135deg, #0b3d4f, #127a6b 45%, #5a2fc7)';
const FIRE = 'linear-gradient(135deg, #5c1a1b, #b3541e 50%, #ff9a47)';
const DUSK = 'linear-gradient(135deg, #4a1d5f, #a0387f 50%, #d9705b)';

export const FILMS: readonly Film[] = [
  {
    id: 'aurora',
    title: 'Aurora',
    about: 'Sixty seconds of northern light',
    file: 'films/aurora.webm',
    look: 'none',
    poster: NORTH,
  },
  {
    id: 'embers',
    title: 'Embers',
    about: 'A minute by the fire',
    file: 'films/embers.webm',
    look: 'none',
    poster: FIRE,
  },
  {
    id: 'aurora-dusk',
    title: 'Aurora at Dusk',
    about: 'The same sky, some hours earlier',
    file: 'films/aurora.webm',
    look: 'hue-rotate(150deg) saturate(1.1)',
    poster: DUSK,
  },
];

export const POD: readonly Ad[] = [
  {
    adId: '4217',
    creativeId: 'lantern-a',
    name: 'Lantern Coffee',
    line: 'Roasted slowly. Gone quickly.',
    colours: ['#7a4a21', '#e0a458'],
  },
  {
    adId: 'spring-tide',
    creativeId: 'tide-b',
    name: 'Spring Tide Swimwear',
    line: 'The sea is open all night.',
    colours: ['#155e75', '#67e8f9'],
  },
];

export const RENDITIONS: readonly Rendition[] = [
  { label: '360p', bitrate: 800_000, framesPerSecond: 24 },
  { label: '720p', bitrate: 2_400_000, framesPerSecond: 24 },
  { label: '1080p', bitrate: 5_000_000, framesPerSecond: 48 },
];
