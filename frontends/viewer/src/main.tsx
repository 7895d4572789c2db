//  main.tsx - opens the feed, then the page
import { createRoot } from 'react-dom/client';
import { App } from './App';
import { Connection, liveUrl } from './connection';
import './style.css';

const root = document.getElementById('root');
if (!root) throw new Error('index.html has no #root');
createRoot(root).render(<App connection={new Connection(liveUrl(window.location))} />);
