//  Notice.tsx - says it when what is shown is old or not whole
import type { Picture } from './connection';

interface NoticeProps {
  picture: Picture;
  now: number;
  onRetry: () => void;
}

export function Notice({ picture, now, onRetry }: NoticeProps) {
  const { live, link, lostSinceMs } = picture;
  if (lostSinceMs !== null) {
    const age = Math.max(0, Math.round((now - lostSinceMs) / 1000));
    const wait = link.link === 'lost' ? Math.max(0, Math.ceil((link.retryAtMs - now) / 1000)) : 0;
    return (
      <div className="notice lost" role="alert" data-testid="notice">
        <p>
          No connection to the gateway for {age} s. What you see is from before.{' '}
          {link.link === 'lost' ? `Next attempt in ${wait} s.` : 'Connecting…'}
        </p>
        {link.link === 'lost' && <button onClick={onRetry}>Try now</button>}
      </div>
    );
  }
  if (live.filling !== null) {
    return (
      <div className="notice" role="status" data-testid="notice">
        <p>Receiving all viewers: {live.filling.size.toLocaleString('en')} so far.</p>
      </div>
    );
  }
  if (live.stats?.partial) {
    return (
      <div className="notice" role="status" data-testid="notice">
        <p>The counts are partial: some shards are still being filled.</p>
      </div>
    );
  }
  return null;
}
