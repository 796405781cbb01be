/** Late packets are mapped as their neighbours were, up to this many back. */
const HISTORY = 256;
/** A step of the sequence number or of the clock larger than this is not loss but a new beginning. */
const MAX_SEQUENCE_STEP = 3000;
const MAX_CLOCK_STEP_SECONDS = 5;

/** What `rewrite` reads of a packet. */
export interface SourcePacket {
  readonly ssrc: number;
  readonly sequenceNumber: number;
  readonly timestamp: number;
  readonly marker: boolean;
}

/**
 * Makes one continuous stream out of whatever a source sends: sequence numbers and timestamps run on
 * when it changes its SSRC, starts anew or pauses, and packets that are left out leave no gap.
 */
export class StreamRewriter {
  /** Of the packet that the last `rewrite` accepted. */
  sequenceNumber = 0;
  timestamp = 0;
  /** As the source's, and on the first packet after a pause or a change of the source. */
  marker = false;
  readonly #clockRate: number;
  #offsets = new Uint16Array(HISTORY);
  #started = false;
  #anchored = false;
  #ssrc = 0;
  /** Highest sequence number of the source, and the timestamp and time that came with it. */
  #highest = 0;
  #firstOfSource = 0;
  #sourceTimestamp = 0;
  #sequenceOffset = 0;
  #timestampOffset = 0;
  #highestOut = 0;
  #highestOutTimestamp = 0;
  #highestOutAt = 0;

  constructor(clockRate: number, firstSequence: number, firstTimestamp: number) {
    this.#clockRate = clockRate;
    this.#highestOut = (firstSequence - 1) & 0xffff;
    this.#highestOutTimestamp = firstTimestamp >>> 0;
  }

  /** All of it, for another thread, where `thaw` of one of the same clock goes on with it. */
  freeze() {
    return {
      offsets: this.#offsets,
      started: this.#started,
      anchored: this.#anchored,
      ssrc: this.#ssrc,
      highest: this.#highest,
      firstOfSource: this.#firstOfSource,
      sourceTimestamp: this.#sourceTimestamp,
      sequenceOffset: this.#sequenceOffset,
      timestampOffset: this.#timestampOffset,
      highestOut: this.#highestOut,
      highestOutTimestamp: this.#highestOutTimestamp,
      highestOutAt: this.#highestOutAt,
    };
  }

  thaw(state: ReturnType<StreamRewriter['freeze']>): void {
    ({
      offsets: this.#offsets,
      started: this.#started,
      anchored: this.#anchored,
      ssrc: this.#ssrc,
      highest: this.#highest,
      firstOfSource: this.#firstOfSource,
      sourceTimestamp: this.#sourceTimestamp,
      sequenceOffset: this.#sequenceOffset,
      timestampOffset: this.#timestampOffset,
      highestOut: this.#highestOut,
      highestOutTimestamp: this.#highestOutTimestamp,
      highestOutAt: this.#highestOutAt,
    } = state);
  }

  /** The source is not trusted to go on where it was. */
  restart(): void {
    this.#anchored = false;
  }

  /** False: the packet is too old to be placed. */
  rewrite(packet: SourcePacket, now: number): boolean {
    const fresh = !this.#anchored || this.#jumped(packet);
    if (fresh) this.#anchor(packet, now);
    const ahead = toSigned16(packet.sequenceNumber - this.#highest);
    if (!fresh && ahead <= 0) return this.#rewriteLate(packet, ahead);
    if (!fresh) this.#advance(packet, ahead);
    this.marker = fresh || packet.marker;
    this.sequenceNumber = (packet.sequenceNumber + this.#sequenceOffset) & 0xffff;
    this.timestamp = (packet.timestamp + this.#timestampOffset) >>> 0;
    this.#highestOut = this.sequenceNumber;
    this.#highestOutTimestamp = this.timestamp;
    this.#highestOutAt = now;
    this.#started = true;

    return true;
  }

  /** What the source called a packet that was given `sequenceNumber`; undefined before the first one. */
  sourceSequence(sequenceNumber: number): number | undefined {
    return this.#anchored ? (sequenceNumber - this.#sequenceOffset) & 0xffff : undefined;
  }

  /** The packet is not forwarded; those after it close up. */
  leaveOut(packet: SourcePacket): void {
    if (!this.#anchored || packet.ssrc !== this.#ssrc) return;
    const ahead = toSigned16(packet.sequenceNumber - this.#highest);
    if (ahead <= 0 || ahead > MAX_SEQUENCE_STEP) return;
    // Its timestamp may be that of a key's beginning (RFC 4733 2.1), so it says nothing of time.
    this.#fillOffsets(ahead);
    this.#highest = packet.sequenceNumber;
    this.#sequenceOffset = (this.#sequenceOffset - 1) & 0xffff;
  }

  #jumped(packet: SourcePacket): boolean {
    if (packet.ssrc !== this.#ssrc) return true;
    const step = toSigned16(packet.sequenceNumber - this.#highest);
    if (step > MAX_SEQUENCE_STEP || step < -MAX_SEQUENCE_STEP) return true;
    const clockStep = (packet.timestamp - this.#sourceTimestamp) | 0;

    return Math.abs(clockStep) > this.#clockRate * MAX_CLOCK_STEP_SECONDS;
  }

  /** The first packet of the new source follows the last one of the old by the time that passed. */
  #anchor(packet: SourcePacket, now: number): void {
    const passed = Math.max(0, now - this.#highestOutAt);
    const least = this.#clockRate / 50;
    const gap = this.#started ? Math.max(least, Math.round((passed * this.#clockRate) / 1000)) : 0;
    this.#ssrc = packet.ssrc;
    this.#sequenceOffset = (this.#highestOut + 1 - packet.sequenceNumber) & 0xffff;
    this.#timestampOffset = (this.#highestOutTimestamp + gap - packet.timestamp) >>> 0;
    this.#highest = packet.sequenceNumber;
    this.#firstOfSource = packet.sequenceNumber;
    this.#sourceTimestamp = packet.timestamp;
    this.#offsets[packet.sequenceNumber % HISTORY] = this.#sequenceOffset;
    this.#anchored = true;
  }

  #advance(packet: SourcePacket, ahead: number): void {
    this.#fillOffsets(ahead);
    this.#highest = packet.sequenceNumber;
    this.#sourceTimestamp = packet.timestamp;
    // Before this source began nothing of it can be placed; forget that edge once it is far back.
    const age = toSigned16(packet.sequenceNumber - this.#firstOfSource);
    if (age >= HISTORY || age < 0) this.#firstOfSource = packet.sequenceNumber - HISTORY;
  }

  #rewriteLate(packet: SourcePacket, ahead: number): boolean {
    if (ahead <= -HISTORY || toSigned16(packet.sequenceNumber - this.#firstOfSource) < 0)
      return false;
    const offset = this.#offsets[packet.sequenceNumber % HISTORY]!;
    this.marker = packet.marker;
    this.sequenceNumber = (packet.sequenceNumber + offset) & 0xffff;
    this.timestamp = (packet.timestamp + this.#timestampOffset) >>> 0;

    return true;
  }

  #fillOffsets(ahead: number): void {
    const count = Math.min(ahead, HISTORY);
    for (let i = 0; i < count; i++) {
      const sequenceNumber = (this.#highest + ahead - i) & 0xffff;
      this.#offsets[sequenceNumber % HISTORY] = this.#sequenceOffset;
    }
  }
}

function toSigned16(value: number): number {
  return (value << 16) >> 16;
}
