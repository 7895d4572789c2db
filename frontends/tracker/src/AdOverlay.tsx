//  AdOverlay.tsx - an ad over the film: a moving card, a countdown, skip and click
import type { CSSProperties } from 'react';
import { type AdBreak, type AdInput, maySkip } from './adbreak';
import { POD } from './films';

interface AdOverlayProps {
  adBreak: AdBreak;
  onInput: (input: Exclude<AdInput['input'], 'tick'>) => void;
}

export function AdOverlay({ adBreak, onInput }: AdOverlayProps) {
  const ad = POD[adBreak.index];
  if (!ad) return null;
  const left = Math.ceil(adBreak.adSeconds - adBreak.elapsed);
  const wait = Math.ceil(adBreak.skipAfter - adBreak.elapsed);
  const colours = { '--from': ad.colours[0], '--to': ad.colours[1] } as CSSProperties;
  return (
    <div
      className={adBreak.paused ? 'ad still' : 'ad'}
      style={colours}
      data-testid="ad"
      data-ad-id={ad.adId}
      role="group"
      aria-label={`Ad: ${ad.name}`}
    >
      <i aria-hidden="true" />
      <i aria-hidden="true" />
      <i aria-hidden="true" />
      <p className="tag">
        Ad {adBreak.index + 1} of {adBreak.ads} · {left} s
      </p>
      <div className="card">
        <strong>{ad.name}</strong>
        <span>{ad.line}</span>
        <button data-testid="ad-click" onClick={() => onInput('click')}>
          Learn more
        </button>
      </div>
      <div className="actions">
        {adBreak.paused ? (
          <button data-testid="ad-resume" onClick={() => onInput('resume')}>
            ▶ Resume ad
          </button>
        ) : (
          <button data-testid="ad-pause" onClick={() => onInput('pause')}>
            ❚❚ Pause ad
          </button>
        )}
        <button data-testid="ad-skip" disabled={!maySkip(adBreak)} onClick={() => onInput('skip')}>
          {maySkip(adBreak) ? 'Skip ad »' : `Skip in ${wait}`}
        </button>
      </div>
      <progress max={adBreak.adSeconds} value={adBreak.elapsed} aria-label="Ad progress" />
    </div>
  );
}
