//  App.tsx - the cinema: a film, its controls, the programme, and what was tracked
import { type FormEvent, useState, useSyncExternalStore } from 'react';
import { FILMS, type Film } from './films';
import { Log } from './Log';
import { Player } from './Player';
import type { Settings } from './settings';
import { journalStore, nameViewer } from './tracking';
import { keepUser } from './user';

interface AppProps {
  settings: Settings;
  firstUser: string;
}

export function App({ settings, firstUser }: AppProps) {
  const [user, setUser] = useState(firstUser);
  const [film, setFilm] = useState(() => chosenFilm(settings.film));
  const journal = useSyncExternalStore(journalStore.subscribe, journalStore.read);

  const rename = (name: string): void => {
    nameViewer(name);
    keepUser(name);
    setUser(name);
  };

  return (
    <div className="page">
      <header>
        <h1>
          Usher <span>cinema</span>
        </h1>
        <Viewer user={user} onRename={rename} />
      </header>
      <main>
        {/* a new person or film is a new playback, so a new player */}
        <Player key={`${user} ${film.id}`} film={film} settings={settings} />
        <Log journal={journal} collector={settings.collector} />
      </main>
      <Programme chosen={film} onChoose={setFilm} />
    </div>
  );
}

function chosenFilm(id: string | null): Film {
  const film = FILMS.find((candidate) => candidate.id === id) ?? FILMS[0];
  if (!film) throw new Error('films.ts lists no film');
  return film;
}

function Viewer({ user, onRename }: { user: string; onRename: (name: string) => void }) {
  const [draft, setDraft] = useState(user);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (draft.trim() !== user) onRename(draft.trim());
  };
  return (
    <form className="viewer" onSubmit={submit}>
      <label htmlFor="user">Watching as</label>
      <input
        id="user"
        data-testid="user"
        value={draft}
        maxLength={255}
        placeholder="nobody (cookie only)"
        autoComplete="off"
        spellCheck={false}
        onChange={(event) => setDraft(event.target.value)}
      />
      <button data-testid="user-set" disabled={draft.trim() === user}>
        Set
      </button>
    </form>
  );
}

function Programme({ chosen, onChoose }: { chosen: Film; onChoose: (film: Film) => void }) {
  return (
    <nav className="programme" aria-label="Programme">
      {FILMS.map((film) => (
        <button
          key={film.id}
          data-testid={`film-${film.id}`}
          aria-pressed={film.id === chosen.id}
          onClick={() => onChoose(film)}
        >
          <span className="poster" style={{ background: film.poster }} aria-hidden="true">
            {film.title}
          </span>
          <span className="about">{film.about}</span>
        </button>
      ))}
    </nav>
  );
}
