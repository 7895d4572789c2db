//  main.tsx - starts the tracker, then the page
import { createRoot } from 'react-dom/client';
import { App } from './App';
import { readSettings } from './settings';
import './style.css';
import { startTracker } from './tracking';
import { firstUser } from './user';

const settings = readSettings(window.location.search, window.location.hostname);
const user = firstUser(settings.user);
startTracker(settings.collector, user);

const root = document.getElementById('root');
if (!root) throw new Error('index.html has no #root');
createRoot(root).render(<App settings={settings} firstUser={user} />);
