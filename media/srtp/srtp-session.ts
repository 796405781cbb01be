import { SrtpReceiver } from './srtp-receiver.ts';
import { SrtpSender } from './srtp-sender.ts';
import type { SrtpKey, SrtpKeys } from './suites.ts';

/**
 * SRTP of one phone's audio, both ways. An offer/answer that names the same key again must not start
 * its indexes anew: that would use a keystream twice (RFC 3711 9.1).
 */
export class SrtpSession {
  #keys: SrtpKeys;
  #sender: SrtpSender;
  #receiver: SrtpReceiver;

  constructor(keys: SrtpKeys) {
    this.#keys = keys;
    this.#sender = new SrtpSender(keys.send);
    this.#receiver = new SrtpReceiver(keys.receive);
  }

  /** What a new offer/answer makes of the session so far. */
  static next(
    before: SrtpSession | undefined,
    keys: SrtpKeys | undefined,
  ): SrtpSession | undefined {
    if (keys === undefined || before === undefined) return keys && new SrtpSession(keys);
    before.rekey(keys);

    return before;
  }

  rekey(keys: SrtpKeys): void {
    const before = this.#keys;
    this.#keys = keys;
    if (!isSameKey(before.send, keys.send)) this.#sender = new SrtpSender(keys.send);
    if (!isSameKey(before.receive, keys.receive)) this.#receiver = new SrtpReceiver(keys.receive);
  }

  /** For another thread, where `SrtpSession.thaw` goes on with it. */
  freeze() {
    return {
      keys: this.#keys,
      sender: this.#sender.freeze(),
      receiver: this.#receiver.freeze(),
    };
  }

  static thaw(state: ReturnType<SrtpSession['freeze']>): SrtpSession {
    const session = new SrtpSession(state.keys);
    session.#sender.thaw(state.sender);
    session.#receiver.thaw(state.receiver);

    return session;
  }

  openRtp(data: Uint8Array): number {
    return this.#receiver.openRtp(data);
  }

  openRtcp(data: Uint8Array): number {
    return this.#receiver.openRtcp(data);
  }

  sealRtp(data: Uint8Array, length: number): number {
    return this.#sender.sealRtp(data, length);
  }

  sealRtcp(data: Uint8Array, length: number): number {
    return this.#sender.sealRtcp(data, length);
  }
}

function isSameKey(a: SrtpKey, b: SrtpKey): boolean {
  return (
    a.suite === b.suite &&
    Buffer.compare(a.keyAndSalt, b.keyAndSalt) === 0 &&
    Buffer.compare(a.mki ?? new Uint8Array(0), b.mki ?? new Uint8Array(0)) === 0
  );
}
