/**
 * Symmetric RTP (RFC 4961) with a lock on the source. Media goes to the address of the SDP until
 * packets show where the phone really is; from then on only that source is heard, so that nobody
 * can talk into a call or pull its audio away by spraying packets at the port.
 */
import { SourceProbation, sequenceDifference } from './rtp-sequence.ts';

/**
 * Milliseconds of silence after which the same stream (same SSRC, sequence number going on) is
 * followed to another address: a NAT that rebinds or a phone that changes network. Whoever does not
 * see the packets cannot guess the SSRC, so this may be short.
 */
export const REBIND_SILENCE = 200;

/**
 * Milliseconds of silence after which any stream may take over. Longer than the 400 ms between the
 * packets of Opus in DTX (RFC 6716 2.1.9) and than a mid-call network hiccup; short enough for a
 * phone behind a NAT that restarts its stream.
 */
export const TAKEOVER_SILENCE = 2000;

/** How far ahead a stream may be after moving: a minute of 20 ms packets. */
const MAX_MOVE_GAP = 3000;

export class SourceLock {
  #signalledAddress = '';
  #signalledPort = 0;
  #address = '';
  #port = 0;
  #locked = false;
  #lastAt = 0;
  #ssrc = 0;
  #sequence = 0;

  #candidateAddress = '';
  #candidatePort = 0;
  readonly #probation = new SourceProbation();
  #moves = 0;

  /** Where to send to. Empty before the SDP named an address. */
  get address(): string {
    return this.#address;
  }

  get port(): number {
    return this.#port;
  }

  /** True once packets came from `address`. */
  get locked(): boolean {
    return this.#locked;
  }

  /** How often the source went to another address. */
  get moves(): number {
    return this.#moves;
  }

  /** The address of the peer's SDP. A change of it releases the lock. */
  signal(address: string, port: number): void {
    if (address === this.#signalledAddress && port === this.#signalledPort) return;
    this.#signalledAddress = address;
    this.#signalledPort = port;
    this.#address = address;
    this.#port = port;
    this.#locked = false;
    this.#probation.reset();
  }

  /** Whether a valid RTP packet is the phone's; locks and moves the lock as a side effect. */
  accepts(address: string, port: number, ssrc: number, sequence: number, now: number): boolean {
    if (this.#locked && address === this.#address && port === this.#port) {
      this.#note(ssrc, sequence, now);

      return true;
    }
    if (!this.#mayMove(address, port, ssrc, sequence, now)) return false;
    if (this.#locked) this.#moves++;
    this.#address = address;
    this.#port = port;
    this.#locked = true;
    this.#probation.reset();
    this.#note(ssrc, sequence, now);

    return true;
  }

  #note(ssrc: number, sequence: number, now: number): void {
    this.#lastAt = now;
    this.#ssrc = ssrc;
    this.#sequence = sequence;
  }

  #mayMove(address: string, port: number, ssrc: number, sequence: number, now: number): boolean {
    const signalled = address === this.#signalledAddress && port === this.#signalledPort;
    if (!this.#locked && signalled) return true;

    const silence = now - this.#lastAt;
    if (this.#locked && !signalled) {
      const ahead = sequenceDifference(sequence, this.#sequence);
      const sameStream = ssrc === this.#ssrc && ahead > 0 && ahead < MAX_MOVE_GAP;
      if (sameStream && silence >= REBIND_SILENCE) return true;
      if (silence < TAKEOVER_SILENCE) return false;
    }
    // Any other change of address needs two packets in sequence first.
    if (address !== this.#candidateAddress || port !== this.#candidatePort) {
      this.#candidateAddress = address;
      this.#candidatePort = port;
      this.#probation.reset();
    }

    return this.#probation.passes(ssrc, sequence);
  }
}
