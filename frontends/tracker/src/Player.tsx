//  Player.tsx - the screen and its controls; player.ts decides, this shows
import { useEffect, useRef, useState, useSyncExternalStore } from 'react';
import { AdOverlay } from './AdOverlay';
import { type Film, RENDITIONS } from './films';
import { FilmPlayer } from './player';
import type { Screen } from './screen';
import type { Settings } from './settings';

const RATES = [0.5, 1, 1.5, 2];

export function Player({ film, settings }: { film: Film; settings: Settings }) {
  const video = useRef<HTMLVideoElement>(null);
  const stage = useRef<HTMLDivElement>(null);
  const [player, setPlayer] = useState<FilmPlayer | null>(null);

  useEffect(() => {
    if (!video.current || !stage.current) return;
    const made = new FilmPlayer(video.current, stage.current, film, settings);
    setPlayer(made);
    return () => made.destroy();
  }, [film, settings]);

  return (
    <section className="player" aria-label={film.title}>
      <div className="stage" ref={stage}>
        <video ref={video} style={{ filter: film.look }} playsInline preload="auto" />
        {player && <Overlay player={player} film={film} />}
      </div>
      {player && <Controls player={player} />}
    </section>
  );
}

function useScreen(player: FilmPlayer): Screen {
  return useSyncExternalStore(player.subscribe, player.read);
}

function Overlay({ player, film }: { player: FilmPlayer; film: Film }) {
  const screen = useScreen(player);
  if (screen.adBreak) return <AdOverlay adBreak={screen.adBreak} onInput={(i) => player.ad(i)} />;
  if (screen.failed) {
    return (
      <p className="notice" role="alert">
        The film can’t be played: {screen.failed}
      </p>
    );
  }
  if (screen.stalled) return <div className="spinner" role="status" aria-label="Buffering" />;
  if (screen.ended) {
    return (
      <div className="curtain">
        <button className="big" data-testid="replay" onClick={() => player.replay()}>
          ↻ Watch again
        </button>
      </div>
    );
  }
  if (screen.begun) return null;
  return (
    <div className="curtain" style={{ background: film.poster }}>
      <strong>{film.title}</strong>
      <button
        className="big"
        data-testid="poster-play"
        disabled={!screen.ready}
        onClick={() => player.play()}
      >
        {screen.ready ? '▶ Play' : 'Loading…'}
      </button>
    </div>
  );
}

function Controls({ player }: { player: FilmPlayer }) {
  const screen = useScreen(player);
  const inAds = screen.adBreak !== null;
  const idle = !screen.ready || inAds;
  return (
    <>
      <div className="timeline">
        <Clock seconds={screen.position} />
        <input
          type="range"
          data-testid="seek"
          aria-label="Position"
          min={0}
          max={screen.duration || 1}
          step={0.1}
          value={screen.position}
          disabled={idle || screen.ended}
          onChange={(event) => player.seek(Number(event.target.value))}
        />
        <Clock seconds={screen.duration} />
      </div>
      <div className="controls">
        {screen.playing && !inAds ? (
          <button data-testid="pause" className="main" onClick={() => player.pause()}>
            ❚❚ Pause
          </button>
        ) : (
          <button data-testid="play" className="main" disabled={idle} onClick={() => player.play()}>
            ▶ Play
          </button>
        )}
        <button
          data-testid="to-end"
          disabled={idle || !screen.begun || screen.ended}
          onClick={() => player.toEnd()}
        >
          ⇥ To the end
        </button>
        <button data-testid="ad-break" disabled={idle} onClick={() => player.startAdBreak()}>
          Ad break now
        </button>
        <button
          data-testid="stall"
          disabled={idle || !screen.playing || screen.stalled}
          onClick={() => player.stall()}
        >
          Stall
        </button>
        <button data-testid="error" disabled={!screen.ready} onClick={() => player.reportError()}>
          Report a playback error
        </button>
      </div>
      <Preferences player={player} screen={screen} />
    </>
  );
}

function Preferences({ player, screen }: { player: FilmPlayer; screen: Screen }) {
  const choose = (label: string): void => {
    const rendition = RENDITIONS.find((candidate) => candidate.label === label);
    if (rendition) player.setQuality(rendition);
  };
  return (
    <div className="controls minor">
      <button data-testid="mute" aria-pressed={screen.muted} onClick={() => player.toggleMuted()}>
        {screen.muted ? 'Unmute' : 'Mute'}
      </button>
      <input
        type="range"
        data-testid="volume"
        aria-label="Volume"
        min={0}
        max={1}
        step={0.05}
        value={screen.muted ? 0 : screen.volume}
        onChange={(event) => player.setVolume(Number(event.target.value))}
      />
      <label>
        Quality
        <select
          data-testid="quality"
          value={screen.quality}
          disabled={!screen.ready}
          onChange={(event) => choose(event.target.value)}
        >
          {RENDITIONS.map(({ label }) => (
            <option key={label}>{label}</option>
          ))}
        </select>
      </label>
      <label>
        Speed
        <select
          data-testid="rate"
          value={screen.rate}
          disabled={!screen.ready}
          onChange={(event) => player.setRate(Number(event.target.value))}
        >
          {RATES.map((rate) => (
            <option key={rate} value={rate}>
              {rate}×
            </option>
          ))}
        </select>
      </label>
      {document.pictureInPictureEnabled && (
        <button
          data-testid="picture-in-picture"
          aria-pressed={screen.pictureInPicture}
          disabled={!screen.ready}
          onClick={() => player.togglePictureInPicture()}
        >
          Picture in picture
        </button>
      )}
      <button
        data-testid="fullscreen"
        aria-pressed={screen.fullscreen}
        disabled={!screen.ready}
        onClick={() => player.toggleFullscreen()}
      >
        Full screen
      </button>
    </div>
  );
}

function Clock({ seconds }: { seconds: number }) {
  const whole = Math.floor(seconds);
  return (
    <time>
      {Math.floor(whole / 60)}:{String(whole % 60).padStart(2, '0')}
    </time>
  );
}
