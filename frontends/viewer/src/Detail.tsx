//  Detail.tsx - one viewer: sessions, totals, experience, history
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { historyKey } from './live';
import type { HistoryRow, Session, Viewer } from './protocol';
import { Position } from './ViewerList';
import { STATE_WORDS, STATUS_WORDS, ago, clock, eventWord, plural, timeOfDay } from './words';

interface DetailProps {
  viewerId: string;
  viewer: Viewer | undefined; // undefined: left, or not in the picture yet
  serverNow: number;
  onClose: () => void;
}

export function Detail({ viewerId, viewer, serverNow, onClose }: DetailProps) {
  const panel = useRef<HTMLElement>(null);
  useEffect(() => panel.current?.focus(), [viewerId]);
  return (
    <section
      className="panel detail"
      data-testid="detail"
      ref={panel}
      tabIndex={-1}
      aria-label={`Viewer ${viewerId}`}
      onKeyDown={(event) => event.key === 'Escape' && onClose()}
    >
      <div className="head">
        <h2 title={viewerId}>{viewerId}</h2>
        {viewer && (
          <i className="chip" data-status={viewer.status} data-state={viewer.state}>
            {STATUS_WORDS[viewer.status]}
          </i>
        )}
        <button data-testid="detail-close" onClick={onClose}>
          Close
        </button>
      </div>
      {viewer ? (
        <Live viewer={viewer} serverNow={serverNow} />
      ) : (
        <p className="none">Not live now. What is stored of this viewer is below.</p>
      )}
      <History viewerId={viewerId} change={viewer ? historyKey(viewer) : ''} />
    </section>
  );
}

function Live({ viewer, serverNow }: { viewer: Viewer; serverNow: number }) {
  const { totals } = viewer;
  return (
    <>
      {viewer.partial && (
        <p className="notice">This viewer’s profile could not be loaded yet: it is partial.</p>
      )}
      <dl className="facts">
        <Fact name="Since">{ago(viewer.since, serverNow)}</Fact>
        <Fact name="Last seen">{ago(viewer.last_seen, serverNow)} ago</Fact>
        <Fact name="Played">{clock(totals.time_played)}</Fact>
        <Fact name="Paused">{clock(totals.time_paused)}</Fact>
        <Fact name="Ads">
          {totals.ads} · {totals.ads_skipped} skipped · {totals.ads_clicked} clicked
        </Fact>
        <Fact name="Stalls, errors">
          {totals.stalls}, {totals.errors}
        </Fact>
        <Fact name="Sessions">{totals.sessions}</Fact>
      </dl>
      {viewer.sessions.map((session) => (
        <SessionCard key={session.session_id} session={session} serverNow={serverNow} />
      ))}
    </>
  );
}

function SessionCard({ session, serverNow }: { session: Session; serverNow: number }) {
  const { ad, ad_break } = session;
  return (
    <article className="session" data-testid={`session-${session.session_id}`}>
      <div className="head">
        <b>{session.media_label || 'no title'}</b>
        <i className="chip" data-status={session.status} data-state={session.state}>
          {STATE_WORDS[session.state]}
        </i>
      </div>
      <Position session={session} serverNow={serverNow} />
      {(ad || ad_break) && (
        <p className="current">
          {[ad_break?.name || 'Ad break', ad && `${ad.name || 'ad'} (${ad.ad_id})`]
            .filter(Boolean)
            .join(': ')}
          {ad && ad.quartile > 0 && `, ${ad.quartile} % seen`}
        </p>
      )}
      <dl className="facts">
        <Fact name="In this state">{ago(session.since, serverNow)}</Fact>
        <Fact name="Start-up">
          {session.startup_ms === null ? '–' : `${(session.startup_ms / 1000).toFixed(1)} s`}
          {session.exit_before_start && ' · left before the start'}
        </Fact>
        <Fact name="Watched">
          {clock(session.content_watched)}
          {session.percent !== null && ` · ${session.percent} %`}
        </Fact>
        <Fact name="Buffering">
          {clock(session.time_buffering)} · {plural(session.stalls, 'stall')}
          {session.rebuffering_ratio !== null &&
            ` · ${(session.rebuffering_ratio * 100).toFixed(1)} % of the time watched`}
        </Fact>
        <Fact name="Ads">
          {session.ads} in {plural(session.ad_breaks, 'break')}, {clock(session.time_in_ads)}
        </Fact>
        <Fact name="Ad outcome">
          {session.ads_completed} completed · {session.ads_skipped} skipped · {session.ads_clicked}{' '}
          clicked
        </Fact>
        <Fact name="Player">
          {[session.player_type, session.quality, session.platform, session.app_id]
            .filter(Boolean)
            .join(' · ') || '–'}
        </Fact>
        <Fact name="Device">
          {[session.device, session.os, session.city, session.country].filter(Boolean).join(' · ')}
        </Fact>
        <Fact name="Sound, screen">{soundAndScreen(session)}</Fact>
        {session.errors > 0 && (
          <Fact name={`Errors (${session.errors})`}>{session.last_error || 'no text'}</Fact>
        )}
      </dl>
      <small className="id">{session.session_id}</small>
    </article>
  );
}

function soundAndScreen(session: Session): string {
  const sound = session.muted ? 'muted' : session.volume === null ? '' : `${session.volume} %`;
  const screen = session.fullscreen
    ? 'full screen'
    : session.picture_in_picture
      ? 'picture in picture'
      : '';
  return [sound, screen].filter(Boolean).join(', ') || '–';
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

type Loaded = { rows: HistoryRow[] } | { error: string } | null;

//  The stored rows of a viewer, asked for again whenever it changes.
function useHistory(viewerId: string, change: string): Loaded {
  const [loaded, setLoaded] = useState<Loaded>(null);
  useEffect(() => setLoaded(null), [viewerId]);
  useEffect(() => {
    const off = new AbortController();
    fetchHistory(viewerId, off.signal)
      .then((rows) => setLoaded({ rows }))
      .catch((error: unknown) => {
        if (!off.signal.aborted) setLoaded({ error: String(error) });
      });
    return () => off.abort();
  }, [viewerId, change]);
  return loaded;
}

async function fetchHistory(viewerId: string, signal: AbortSignal): Promise<HistoryRow[]> {
  const answer = await fetch(`/v1/viewers/${encodeURIComponent(viewerId)}/history`, { signal });
  if (answer.status === 404) return [];
  if (!answer.ok) throw new Error(`the gateway answered ${answer.status}`);
  return ((await answer.json()) as { rows: HistoryRow[] }).rows;
}

function History({ viewerId, change }: { viewerId: string; change: string }) {
  const loaded = useHistory(viewerId, change);
  return (
    <div className="history">
      <h3>History</h3>
      {loaded === null && <p className="none">Loading…</p>}
      {loaded && 'error' in loaded && (
        <p className="notice lost" role="alert">
          The history could not be read: {loaded.error}
        </p>
      )}
      {loaded && 'rows' in loaded && loaded.rows.length === 0 && (
        <p className="none">Nothing stored yet.</p>
      )}
      {loaded && 'rows' in loaded && (
        <ol data-testid="history">
          {loaded.rows.map((row) => (
            <li
              key={`${row.collector_tstamp} ${row.event_id}`}
              data-event={row.event_name}
              data-status={row.status}
            >
              <time dateTime={row.collector_tstamp}>{timeOfDay(row.collector_tstamp)}</time>
              <span>{eventWord(row.event_name)}</span>
              <span className="at">
                {row.media_label} {clock(row.video_ts)}
              </span>
              <i className="chip" data-status={row.status}>
                {STATUS_WORDS[row.status]}
              </i>
            </li>
          ))}
        </ol>
      )}
    </div>
  );
}
