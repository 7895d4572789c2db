//  TopMedia.tsx - what is watched most; a click filters the list by it
import type { Stats } from './protocol';
import { count } from './words';

interface TopMediaProps {
  stats: Stats | null;
  partial: boolean;
  onChoose: (label: string) => void;
}

export function TopMedia({ stats, partial, onChoose }: TopMediaProps) {
  const media = stats?.top_media ?? [];
  const most = Math.max(1, ...media.map((medium) => medium.sessions));
  return (
    <section className="panel top" aria-label="Most watched">
      <h2>Most watched {partial && <em>partial</em>}</h2>
      <ol>
        {media.map(({ media_label, sessions }) => (
          <li key={media_label}>
            <button onClick={() => onChoose(media_label)}>
              <i style={{ width: `${(100 * sessions) / most}%` }} aria-hidden="true" />
              <span>{media_label || 'no title'}</span>
              <b>{count(sessions)}</b>
            </button>
          </li>
        ))}
      </ol>
      {media.length === 0 && <p className="none">Nobody is watching yet.</p>}
    </section>
  );
}
