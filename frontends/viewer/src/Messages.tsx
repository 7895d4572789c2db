//  Messages.tsx - the last messages of the feed, as they come
import { memo, useState } from 'react';
import { MESSAGE_LIMIT, type NumberedMessage } from './live';
import type { Message } from './protocol';
import { STATUS_WORDS, count, eventWord, timeOfDay } from './words';

interface MessagesProps {
  messages: NumberedMessage[];
  seen: number;
  onChoose: (viewerId: string) => void;
}

interface LineProps {
  message: Message;
  onChoose: (viewerId: string) => void;
}

export function Messages({ messages, seen, onChoose }: MessagesProps) {
  const [held, setHeld] = useState<NumberedMessage[] | null>(null);
  const newer = held ? seen - (held[0]?.number ?? 0) : 0;
  return (
    <section className="panel messages" aria-label="Messages">
      <div className="head">
        <h2>Messages</h2>
        <small>{held ? `${count(newer)} newer` : `last ${MESSAGE_LIMIT}`}</small>
        <button
          data-testid="messages-hold"
          aria-pressed={held !== null}
          onClick={() => setHeld(held ? null : messages)}
        >
          {held ? 'Go on' : 'Hold'}
        </button>
      </div>
      <ol data-testid="messages">
        {(held ?? messages).map(({ number, message }) => (
          <Line key={number} message={message} onChoose={onChoose} />
        ))}
      </ol>
      {messages.length === 0 && <p className="none">No message since you came.</p>}
    </section>
  );
}

//  A message never changes, so its line is drawn once.
const Line = memo(function Line({ message, onChoose }: LineProps) {
  return (
    <li
      data-viewer={message.viewer_id}
      data-event={message.event_name}
      data-status={message.status}
    >
      <time dateTime={message.collector_tstamp}>{timeOfDay(message.collector_tstamp)}</time>
      <button title={message.viewer_id} onClick={() => onChoose(message.viewer_id)}>
        {message.viewer_id}
      </button>
      <span>{eventWord(message.event_name)}</span>
      <i className="chip" data-status={message.status}>
        {STATUS_WORDS[message.status]}
      </i>
    </li>
  );
});
