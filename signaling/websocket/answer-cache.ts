import type { Ack, RequestName } from './protocol.ts';

type Answer = Promise<Ack<RequestName>>;

/**
 * The answers of one client by request id, those still being worked out included, so that a repeated
 * request is answered and not done twice. Bounded: the oldest are forgotten first.
 */
export class AnswerCache {
  readonly #capacity: number;
  readonly #answers = new Map<string, Answer>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  find(name: RequestName, requestId: string): Answer | undefined {
    return this.#answers.get(`${name} ${requestId}`);
  }

  put(name: RequestName, requestId: string, answer: Answer): void {
    this.#answers.set(`${name} ${requestId}`, answer);
    if (this.#answers.size <= this.#capacity) return;
    const [oldest] = this.#answers.keys();
    if (oldest !== undefined) this.#answers.delete(oldest);
  }

  get size(): number {
    return this.#answers.size;
  }
}
