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
 * Milliseconds of silence after which another stream of the phone's own host may take over: a phone
 * that restarts its stream. Longer than the 400 ms between the packets of Opus in DTX (RFC 6716 2.1.9).
 */
export const TAKEOVER_SILENCE = 800;

/**
 * Milliseconds that a call waits for its phone before it hears a host that no signalling named: a NAT
 * behind a proxy. Whoever sprays from the start may be heard after them, until the phone sends.
 */
export const STRANGER_WAIT = 400;

/** How far ahead a stream may be after moving: a minute of 20 ms packets. */
const MAX_MOVE_GAP = 3000;
/** Sources on probation at one time, of hosts that signalling named and of others each. */
const MAX_CANDIDATES = 3;

/** How far a source is believed: nobody named it, its host was named, it is what the SDP says. */
const STRANGER = 1;
const KNOWN_HOST = 2;
const SIGNALLED = 3;

interface Candidate {
  address: string;
  port: number;
  probation: SourceProbation;
}

export class SourceLock {
  #signalledAddress = '';
  #signalledPort = 0;
  #signallingHost: string | undefined;
  #signalledAt = 0;
  #address = '';
  #port = 0;
  #locked = false;
  #rank = 0;
  #lastAt = 0;
  #ssrc = 0;
  #sequence = 0;
  readonly #knownCandidates: Candidate[] = [];
  readonly #strangers: Candidate[] = [];
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

  /**
   * The address of the peer's SDP, and the host that its signalling comes from. A change of either
   * releases the lock.
   */
  signal(address: string, port: number, now: number, signallingHost?: string): void {
    const isSame = address === this.#signalledAddress && port === this.#signalledPort;
    if (isSame && signallingHost === this.#signallingHost) return;
    this.#signalledAddress = address;
    this.#signalledPort = port;
    this.#signallingHost = signallingHost;
    this.#signalledAt = now;
    this.#release();
    // Behind a NAT the SDP says nothing new: what is sent goes where it went until packets tell more.
    if (isSame) return;
    this.#address = address;
    this.#port = port;
  }

  /** Whether a valid RTP packet is the phone's; locks and moves the lock as a side effect. */
  accepts(address: string, port: number, ssrc: number, sequence: number, now: number): boolean {
    if (this.#locked && address === this.#address && port === this.#port) {
      this.#note(ssrc, sequence, now);

      return true;
    }
    if (!this.#mayMove(address, port, ssrc, sequence, now)) return false;
    this.#moveTo(address, port);
    this.#note(ssrc, sequence, now);

    return true;
  }

  /**
   * A packet that only the phone can have encrypted, and that did not come before: it is the phone's
   * wherever it comes from. One that was overtaken does not call the audio back to where it was.
   */
  acceptAuthentic(
    address: string,
    port: number,
    ssrc: number,
    sequence: number,
    now: number,
  ): boolean {
    const isHere = this.#locked && address === this.#address && port === this.#port;
    const isOld =
      this.#locked && ssrc === this.#ssrc && sequenceDifference(sequence, this.#sequence) <= 0;
    if (!isHere && isOld) return true;
    if (!isHere) this.#moveTo(address, port);
    this.#note(ssrc, sequence, now);

    return true;
  }

  /** For another thread, where `thaw` goes on with it; who is on probation begins it anew there. */
  freeze() {
    return {
      signalledAddress: this.#signalledAddress,
      signalledPort: this.#signalledPort,
      signallingHost: this.#signallingHost,
      signalledAt: this.#signalledAt,
      address: this.#address,
      port: this.#port,
      locked: this.#locked,
      rank: this.#rank,
      lastAt: this.#lastAt,
      ssrc: this.#ssrc,
      sequence: this.#sequence,
      moves: this.#moves,
    };
  }

  thaw(state: ReturnType<SourceLock['freeze']>): void {
    ({
      signalledAddress: this.#signalledAddress,
      signalledPort: this.#signalledPort,
      signallingHost: this.#signallingHost,
      signalledAt: this.#signalledAt,
      address: this.#address,
      port: this.#port,
      locked: this.#locked,
      rank: this.#rank,
      lastAt: this.#lastAt,
      ssrc: this.#ssrc,
      sequence: this.#sequence,
      moves: this.#moves,
    } = state);
  }

  #note(ssrc: number, sequence: number, now: number): void {
    this.#lastAt = now;
    this.#ssrc = ssrc;
    this.#sequence = sequence;
  }

  #moveTo(address: string, port: number): void {
    if (this.#locked) this.#moves++;
    // A stream that goes on elsewhere, or is encrypted, has shown that it is the phone's.
    this.#rank = Math.max(this.#rankOf(address, port), this.#locked ? KNOWN_HOST : STRANGER);
    this.#address = address;
    this.#port = port;
    this.#locked = true;
    this.#forgetCandidates();
  }

  #release(): void {
    this.#locked = false;
    this.#rank = 0;
    this.#forgetCandidates();
  }

  #forgetCandidates(): void {
    this.#knownCandidates.length = 0;
    this.#strangers.length = 0;
  }

  #rankOf(address: string, port: number): number {
    if (address === this.#signalledAddress && port === this.#signalledPort) return SIGNALLED;
    const isKnown = address === this.#signalledAddress || address === this.#signallingHost;

    return isKnown || (this.#locked && address === this.#address) ? KNOWN_HOST : STRANGER;
  }

  #mayMove(address: string, port: number, ssrc: number, sequence: number, now: number): boolean {
    const rank = this.#rankOf(address, port);
    const isCurrent = address === this.#address && port === this.#port;
    if (!this.#locked && (rank === SIGNALLED || isCurrent)) return true;

    const silence = now - this.#lastAt;
    const ahead = sequenceDifference(sequence, this.#sequence);
    const sameStream = ssrc === this.#ssrc && ahead > 0 && ahead < MAX_MOVE_GAP;
    if (sameStream && this.#rank > 0 && silence >= REBIND_SILENCE) return true;
    if (!this.#isPossible(rank, silence, now)) return false;

    // Any other change of address needs two packets in sequence first.
    return this.#probationOf(address, port, rank).passes(ssrc, sequence);
  }

  /** Whether a source of this rank may be listened to now at all. */
  #isPossible(rank: number, silence: number, now: number): boolean {
    if (!this.#locked) return rank > STRANGER || now - this.#signalledAt >= STRANGER_WAIT;
    if (rank > this.#rank) return true;

    return rank > STRANGER && silence >= TAKEOVER_SILENCE;
  }

  /** Each source has its own, so that spraying does not keep the phone from finishing its. */
  #probationOf(address: string, port: number, rank: number): SourceProbation {
    const list = rank > STRANGER ? this.#knownCandidates : this.#strangers;
    const known = list.find((one) => one.address === address && one.port === port);
    if (known !== undefined) return known.probation;
    if (list.length >= MAX_CANDIDATES) list.shift();
    const probation = new SourceProbation();
    list.push({ address, port, probation });

    return probation;
  }
}
