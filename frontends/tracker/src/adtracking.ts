//  adtracking.ts - what the tracker is told of a break and its ads

import {
  MediaPlayerAdBreakType,
  trackMediaAdBreakEnd,
  trackMediaAdBreakStart,
  trackMediaAdClick,
  trackMediaAdComplete,
  trackMediaAdFirstQuartile,
  trackMediaAdMidpoint,
  trackMediaAdPause,
  trackMediaAdResume,
  trackMediaAdSkip,
  trackMediaAdStart,
  trackMediaAdThirdQuartile,
} from '@snowplow/browser-plugin-media';
import type { AdFact } from './adbreak';
import { POD } from './films';
import type { Settings } from './settings';

//  What the plugin wants with each of its calls: the media session and the player's state.
type Media = Parameters<typeof trackMediaAdComplete>[0];

const QUARTILE = {
  25: trackMediaAdFirstQuartile,
  50: trackMediaAdMidpoint,
  75: trackMediaAdThirdQuartile,
} as const;

export function trackAdFact(
  media: Media,
  roll: { breakId: string; name: string },
  fact: AdFact,
  settings: Settings,
): void {
  switch (fact.fact) {
    case 'break_start': {
      const breakType = MediaPlayerAdBreakType.Linear;
      const adBreak = { ...roll, breakType, podSize: POD.length };
      return trackMediaAdBreakStart({ ...media, adBreak });
    }
    case 'start':
      return trackMediaAdStart({ ...media, ad: adOf(fact.index, settings) });
    case 'quartile':
      return QUARTILE[fact.percent](media);
    case 'complete':
      return trackMediaAdComplete(media);
    case 'skip':
      return trackMediaAdSkip({ ...media, percentProgress: fact.percent });
    case 'click':
      return trackMediaAdClick({ ...media, percentProgress: fact.percent });
    case 'pause':
      return trackMediaAdPause({ ...media, percentProgress: fact.percent });
    case 'resume':
      return trackMediaAdResume({ ...media, percentProgress: fact.percent });
    case 'break_end':
      return trackMediaAdBreakEnd(media);
  }
}

function adOf(index: number, { adSeconds, skipAfter }: Settings) {
  const ad = POD[index];
  if (!ad) throw new Error(`no ad ${index} in a pod of ${POD.length}`);
  return {
    adId: ad.adId,
    name: ad.name,
    creativeId: ad.creativeId,
    duration: adSeconds,
    skippable: skipAfter < adSeconds,
  };
}
