import type { VNode } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { ChatMessage } from '../../signaling/websocket/protocol.ts';
import { hueOf } from '../members.ts';
import { CloseIcon, SendIcon } from './icons.tsx';

/** As the server takes it. */
const MAX_LENGTH = 2000;

export interface ChatProps {
  lines: readonly ChatMessage[];
  selfId: string | undefined;
  open: boolean;
  /** False when the line did not get through: it stays in the field. */
  onSay: (text: string) => Promise<boolean>;
  onClose: () => void;
}

export function Chat({ lines, selfId, open, onSay, onClose }: ChatProps): VNode {
  const list = useRef<HTMLOListElement>(null);
  const isAtEnd = useRef(true);
  // Who reads further up is left there.
  useLayoutEffect(() => {
    if (isAtEnd.current && list.current !== null)
      list.current.scrollTop = list.current.scrollHeight;
  }, [lines, open]);

  return (
    <aside id="chat" class={`panel ${open ? 'open' : ''}`} aria-label="Chat" hidden={!open}>
      <header class="panel-header">
        <h2>Chat</h2>
        <button type="button" class="plain" aria-label="Close the chat" onClick={onClose}>
          <CloseIcon />
        </button>
      </header>
      <ol
        class="chat-lines"
        ref={list}
        onScroll={({ currentTarget }) => {
          const { scrollHeight, scrollTop, clientHeight } = currentTarget;
          isAtEnd.current = scrollHeight - scrollTop - clientHeight < 40;
        }}
      >
        {lines.length === 0 && (
          <li class="chat-empty">
            Nobody has written anything yet. Phones that take messages read along.
          </li>
        )}
        {lines.map((line, i) => (
          <Line
            key={line.id}
            line={line}
            isOwn={line.participantId === selfId}
            follows={lines[i - 1]?.participantId === line.participantId}
          />
        ))}
      </ol>
      <Composer
        open={open}
        onSay={(text) => {
          isAtEnd.current = true;

          return onSay(text);
        }}
      />
    </aside>
  );
}

function Composer({ open, onSay }: Pick<ChatProps, 'open' | 'onSay'>): VNode {
  const [text, setText] = useState('');
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (open) input.current?.focus();
  }, [open]);
  const say = async (): Promise<void> => {
    const line = text.trim();
    if (line === '') return;
    setText('');
    if (!(await onSay(line))) setText((now) => (now === '' ? line : now));
  };

  return (
    <form
      class="chat-form"
      onSubmit={(event) => {
        event.preventDefault();
        void say();
      }}
    >
      <input
        ref={input}
        data-testid="chat-input"
        aria-label="Message to everybody"
        placeholder="Message to everybody"
        autocomplete="off"
        maxLength={MAX_LENGTH}
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
      />
      <button type="submit" class="chat-send" aria-label="Send" disabled={text.trim() === ''}>
        <SendIcon />
      </button>
    </form>
  );
}

function Line(props: { line: ChatMessage; isOwn: boolean; follows: boolean }): VNode {
  const { line, isOwn, follows } = props;

  return (
    <li
      class={`chat-line ${isOwn ? 'own' : ''}`}
      data-testid="chat-message"
      data-participant-id={line.participantId}
      style={{ '--hue': hueOf(line.participantId) }}
    >
      {!follows && (
        <span class="chat-author">
          {isOwn ? 'You' : line.name} <time dateTime={line.at}>{clockTime(line.at)}</time>
        </span>
      )}
      <span class="chat-text">{line.text}</span>
    </li>
  );
}

function clockTime(at: string): string {
  return new Date(at).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
}
