import type { ChatMessage } from './ports.ts';

/** Characters of one line. */
export const MAX_CHAT_LENGTH = 2000;
/** Lines of one meeting that those who come later still see. */
const MAX_LINES = 200;

/** What was said in writing during one meeting; the oldest lines go first. */
export class ChatHistory {
  readonly #lines: ChatMessage[] = [];
  #lastId = 0;

  /** Undefined when nothing is left of the text. */
  add(line: Omit<ChatMessage, 'id'>): ChatMessage | undefined {
    const text = toChatText(line.text);
    if (text === '') return undefined;
    const message = { ...line, text, id: ++this.#lastId };
    this.#lines.push(message);
    if (this.#lines.length > MAX_LINES) this.#lines.shift();

    return message;
  }

  lines(): readonly ChatMessage[] {
    return [...this.#lines];
  }

  /** The ids go on: a page that saw the meeting before must not take a new line for an old one. */
  clear(): void {
    this.#lines.length = 0;
  }
}

/** Line breaks stay; other control characters, which only confuse terminals and logs, go. */
function toChatText(text: string): string {
  const clean = text
    .replace(/\r\n?/g, '\n')
    .replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, ' ')
    .trim();

  return [...clean].slice(0, MAX_CHAT_LENGTH).join('').trim();
}
