//  Log.tsx - the last events as they went to the collector
import type { Journal, Tracked } from './tracking';

export function Log({ journal, collector }: { journal: Journal; collector: string }) {
  const { tracked, delivery } = journal;
  const state = delivery.reachable === null ? 'waiting' : delivery.reachable ? 'good' : 'bad';
  return (
    <section className="log" aria-label="What was tracked">
      <h2>Tracked</h2>
      <p className={`delivery ${state}`} data-testid="delivery" data-sent={delivery.sent}>
        {delivery.reachable === false
          ? `No answer from ${collector}; the tracker keeps the events and tries again.`
          : `${delivery.sent} events delivered to ${collector}`}
      </p>
      <ol data-testid="log">
        {tracked.map((entry) => (
          <Entry key={entry.number} entry={entry} />
        ))}
      </ol>
    </section>
  );
}

function Entry({ entry }: { entry: Tracked }) {
  return (
    <li data-event={entry.name} className={entry.name.startsWith('ad_') ? 'ad-event' : undefined}>
      <time>{entry.at.toLocaleTimeString([], { hour12: false })}</time>
      <b>{entry.name}</b>
      {entry.detail && <span>{entry.detail}</span>}
    </li>
  );
}
