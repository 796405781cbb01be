/**
 * Puts packets back into order and in time. Pure: the time is an argument, the caller asks for the
 * next packet's worth of audio whenever it has played the last one.
 *
 * The delay adapts by itself. It starts with a margin from the measured jitter (RFC 3550 A.8); a
 * packet that comes too late is waited for while a concealment plays, which makes the delay one
 * frame longer; and `stretch` asks the consumer to play a packet a little longer or shorter, before
 * a clock that drifts would need either, and when the path has become calm.
 *
 * Size: what happens to a packet, from its arrival to its playing, is read in one place.
 */
import { JitterCounters } from './jitter-counters.ts';
import { PacketRing, SLOTS, type PacketSlot } from './packet-ring.ts';
import { PlayoutDelay } from './playout-delay.ts';
import type { RtpPacketView } from './rtp-packet.ts';
import { sequenceDifference, timestampDifference } from './rtp-sequence.ts';

export interface JitterBufferOptions {
  /** Of the RTP timestamps. */
  clockRate: number;
  /** Milliseconds that a packet is expected to hold until two of them showed it. */
  frameMs?: number;
  /** Milliseconds that a packet waits at least on a clean path, on average half a tick more. */
  minDelayMs?: number;
  /** Milliseconds beyond which no jitter is waited for. */
  maxDelayMs?: number;
  /**
   * A packet holds a copy of the one before it (in-band FEC): while packets get lost it is worth a
   * frame of delay to have the next one there.
   */
  redundant?: boolean;
}

/** Milliseconds that are concealed in a row before the stream counts as paused. */
const MAX_CONCEAL = 100;
/** Milliseconds: longer packets than these are read as a pause of the sender (RFC 6716: 120). */
const MAX_FRAME = 120;
/** Shares of packets lost, averaged over the last 64: from which on a frame is waited for the copy. */
const LOSSY = 0.03;
const LOSSLESS = 0.005;
const LOSS_AVERAGE = 64;
const EMPTY = new Uint8Array(0);

/** Reused: good until the next `pull`. */
export class JitterFrame {
  /** The payload is `length` octets of it from `offset` on. */
  data: Uint8Array = EMPTY;
  offset = 0;
  length = 0;
  payloadType = 0;
  sequenceNumber = 0;
  timestamp = 0;
  /** Audio was left out before it, on purpose or because too much was lost to conceal. */
  skipped = false;

  /** A view, made when it is asked for. */
  get payload(): Uint8Array {
    return this.data.subarray(this.offset, this.offset + this.length);
  }
}

export class JitterBuffer {
  readonly counters = new JitterCounters();
  readonly #clockRate: number;
  readonly #delay: PlayoutDelay;
  readonly #maxDelayMs: number;
  readonly #ring = new PacketRing();
  readonly #frame = new JitterFrame();

  #ssrc = -1;
  #playing = false;
  /** Something of this stream was played. */
  #played = false;
  #skipped = false;
  /** The packet to play next and the newest one; they mean something while packets are known. */
  #nextSequence = 0;
  #nextTimestamp = 0;
  #highest = 0;
  #highestTimestamp = 0;
  #started = false;
  #fillingSince = 0;
  /** Milliseconds concealed since the last packet was played. */
  #concealedMs = 0;
  #frameDuration: number;
  readonly #redundant: boolean;
  #lossRate = 0;

  constructor(options: JitterBufferOptions) {
    this.#redundant = options.redundant ?? false;
    this.#clockRate = options.clockRate;
    this.#frameDuration = ((options.frameMs ?? 20) * options.clockRate) / 1000;
    this.#maxDelayMs = options.maxDelayMs ?? 200;
    const minDelayMs = options.minDelayMs ?? 10;
    this.#delay = new PlayoutDelay(options.clockRate, minDelayMs, this.#maxDelayMs);
  }

  /** Clock units in one packet, as seen last: what a `missing` stands for. */
  get frameDuration(): number {
    return this.#frameDuration;
  }

  get #frameMs(): number {
    return (this.#frameDuration * 1000) / this.#clockRate;
  }

  /** Milliseconds that a packet should wait. */
  get targetDelayMs(): number {
    return this.#delay.targetMs;
  }

  /** Milliseconds of audio in the buffer. */
  get depthMs(): number {
    return this.#ring.count * this.#frameMs;
  }

  /** Keeps a reference to the packet's octets, not a copy. */
  push(packet: RtpPacketView, now: number): void {
    this.counters.pushed++;
    if (this.#isOtherStream(packet)) this.reset();
    if (!this.#started) this.#start(packet, now);
    this.#delay.arrived(packet.timestamp, now);

    let ahead = sequenceDifference(packet.sequenceNumber, this.#nextSequence);
    const behind = sequenceDifference(this.#highest, packet.sequenceNumber);
    if (ahead < 0 && !this.#played && behind < SLOTS) {
      // Nothing has been played yet: the stream begins with the earlier packet.
      this.#nextSequence = packet.sequenceNumber;
      this.#nextTimestamp = packet.timestamp;
      ahead = 0;
    }
    if (ahead < 0) {
      this.counters.late++;
      if (behind < SLOTS) this.#delay.late();

      return;
    }
    if (ahead >= SLOTS) this.#makeRoom(packet);
    this.#store(packet, now);
    // A burst after the network stalled: the old part of it is of no use any more.
    const bound = this.#maxDelayMs + 2 * this.#frameMs;
    while (this.#ring.count > 1 && this.depthMs > bound) this.#dropOldest();
  }

  /**
   * The next packet; `missing`: conceal frameDuration; `empty`: nothing is to be played. Answers
   * `missing` for MAX_CONCEAL at most, then `empty`. `restMs`: milliseconds that are left of the
   * audio pulled before.
   */
  pull(now: number, restMs = 0): JitterFrame | 'missing' | 'empty' {
    if (!this.#playing) {
      // Packets that came in one burst have waited on the way already.
      const waited = Math.max(now - this.#fillingSince, this.depthMs - this.#frameMs);
      if (this.#ring.count === 0 || waited < this.targetDelayMs) return 'empty';
      this.#beginToPlay(now);
    }
    let slot = this.#ring.get(this.#nextSequence);
    if (slot === undefined) {
      const first = this.#ring.first(this.#nextSequence);
      if (first === undefined) return this.#underrun();
      if (this.#shouldConceal(first)) return this.#conceal();
      slot = first;
    }

    return this.#play(slot, now, restMs);
  }

  /**
   * Milliseconds by which the next packet's audio should become longer, or at most shorter when below
   * zero, if that can be done; then `stretched` is to be told.
   */
  stretch(now: number): number {
    return this.#playing ? this.#delay.stretch(now) : 0;
  }

  /** `ms` longer, or shorter when below zero. */
  stretched(ms: number, now: number): void {
    this.#delay.stretched(ms, now);
    if (ms > 0) this.counters.lengthened++;
    else this.counters.shortened++;
  }

  /** What was pulled last announces a pause of the sender: that nothing comes now is no loss. */
  pause(): void {
    if (this.#ring.count === 0) this.#playing = false;
  }

  /** After `missing`: the payload right behind the lost packet, for `recover` of a decoder. */
  peek(): Uint8Array | undefined {
    return this.#ring.get(this.#nextSequence)?.payload();
  }

  /** Forgets the stream; the next packet starts another one. */
  reset(): void {
    if (this.#started) this.counters.resets++;
    this.#ring.clear();
    this.#started = false;
    this.#playing = false;
    this.#played = false;
    this.#skipped = false;
    this.#concealedMs = 0;
  }

  /** All of it, for another thread, where `thaw` of one with the same options goes on with it. */
  freeze() {
    return {
      counters: { ...this.counters },
      delay: this.#delay.freeze(),
      packets: this.#ring.freeze(),
      ssrc: this.#ssrc,
      playing: this.#playing,
      played: this.#played,
      skipped: this.#skipped,
      nextSequence: this.#nextSequence,
      nextTimestamp: this.#nextTimestamp,
      highest: this.#highest,
      highestTimestamp: this.#highestTimestamp,
      started: this.#started,
      fillingSince: this.#fillingSince,
      concealedMs: this.#concealedMs,
      frameDuration: this.#frameDuration,
      lossRate: this.#lossRate,
    };
  }

  thaw(state: ReturnType<JitterBuffer['freeze']>): void {
    ({
      ssrc: this.#ssrc,
      playing: this.#playing,
      played: this.#played,
      skipped: this.#skipped,
      nextSequence: this.#nextSequence,
      nextTimestamp: this.#nextTimestamp,
      highest: this.#highest,
      highestTimestamp: this.#highestTimestamp,
      started: this.#started,
      fillingSince: this.#fillingSince,
      concealedMs: this.#concealedMs,
      frameDuration: this.#frameDuration,
      lossRate: this.#lossRate,
    } = state);
    Object.assign(this.counters, state.counters);
    this.#delay.thaw(state.delay);
    this.#ring.thaw(state.packets);
  }

  #isOtherStream(packet: RtpPacketView): boolean {
    if (!this.#started) return false;
    if (packet.ssrc !== this.#ssrc) return true;
    const sequences = sequenceDifference(packet.sequenceNumber, this.#highest);
    if (Math.abs(sequences) > 1000) return true;
    const elapsed = timestampDifference(packet.timestamp, this.#highestTimestamp);
    // The timestamp must not run backwards while the sequence number goes on.
    return sequences > 0 && elapsed < -this.#clockRate;
  }

  #start(packet: RtpPacketView, now: number): void {
    this.#started = true;
    this.#ssrc = packet.ssrc;
    this.#nextSequence = packet.sequenceNumber;
    this.#nextTimestamp = packet.timestamp;
    this.#highest = (packet.sequenceNumber - 1) & 0xffff;
    this.#highestTimestamp = packet.timestamp;
    this.#delay.restart(packet.timestamp, now);
    this.#fillingSince = now;
  }

  #store(packet: RtpPacketView, now: number): void {
    if (this.#ring.count === 0 && !this.#playing) this.#fillingSince = now;
    if (!this.#ring.put(packet, now)) {
      this.counters.duplicates++;

      return;
    }
    const ahead = sequenceDifference(packet.sequenceNumber, this.#highest);
    this.#observeLoss(ahead);
    if (ahead <= 0) return;
    if (ahead === 1) this.#observeDuration(packet.timestamp);
    this.#highest = packet.sequenceNumber;
    this.#highestTimestamp = packet.timestamp;
  }

  /** A gap counts at once; a packet that was only overtaken makes up for it. */
  #observeLoss(ahead: number): void {
    const lost = ahead > 0 ? Math.min(ahead - 1, LOSS_AVERAGE) : -1;
    const decayed = ahead > 0 ? this.#lossRate * (1 - 1 / LOSS_AVERAGE) : this.#lossRate;
    this.#lossRate = Math.min(1, Math.max(0, decayed + lost / LOSS_AVERAGE));
    if (!this.#redundant) return;
    if (this.#lossRate > LOSSY) this.#delay.extraMs = this.#frameMs;
    else if (this.#lossRate < LOSSLESS) this.#delay.extraMs = 0;
  }

  /** Two packets in sequence show how long one is, unless the sender paused between them. */
  #observeDuration(timestamp: number): void {
    const duration = timestampDifference(timestamp, this.#highestTimestamp);
    if (duration > 0 && duration * 1000 <= MAX_FRAME * this.#clockRate) {
      this.#frameDuration = duration;
    }
  }

  #beginToPlay(now: number): void {
    const first = this.#ring.first(this.#nextSequence);
    if (first !== undefined) {
      this.#nextSequence = first.sequence;
      this.#nextTimestamp = first.timestamp;
    }
    this.#playing = true;
    this.#concealedMs = 0;
    this.#delay.beginWindow(now);
  }

  /** Nothing has come in time: wait for it, concealed, or take the stream for paused. */
  #underrun(): 'missing' | 'empty' {
    if (this.#concealedMs < MAX_CONCEAL) {
      this.#concealedMs += this.#frameMs;
      this.counters.missing++;

      return 'missing';
    }
    this.#playing = false;

    return 'empty';
  }

  /** Whether the gap before `first` still has to be filled: what was concealed already counts. */
  #shouldConceal(first: PacketSlot): boolean {
    const gap = timestampDifference(first.timestamp, this.#nextTimestamp);
    const gapMs = (gap * 1000) / this.#clockRate - this.#concealedMs;

    return gapMs >= this.#frameMs / 2 && gapMs <= MAX_CONCEAL;
  }

  /** A packet is lost and later ones are here: time goes on without it. */
  #conceal(): 'missing' {
    this.#nextSequence = (this.#nextSequence + 1) & 0xffff;
    this.#nextTimestamp = (this.#nextTimestamp + this.#frameDuration) >>> 0;
    this.counters.missing++;

    return 'missing';
  }

  #play(slot: PacketSlot, now: number, restMs: number): JitterFrame {
    const frame = this.#frame;
    const jumped = timestampDifference(slot.timestamp, this.#nextTimestamp);
    frame.data = slot.data;
    frame.offset = slot.offset;
    frame.length = slot.length;
    frame.payloadType = slot.payloadType;
    frame.sequenceNumber = slot.sequence;
    frame.timestamp = slot.timestamp;
    frame.skipped = this.#skipped || jumped * 1000 > MAX_CONCEAL * this.#clockRate;
    this.#skipped = false;
    this.#concealedMs = 0;
    this.#played = true;
    this.counters.played++;
    const waited = now - slot.arrivedAt;
    this.#advancePast(slot);
    this.#delay.played(waited, restMs, now);

    return frame;
  }

  /** The packet is too far ahead of what is to be played next. */
  #makeRoom(packet: RtpPacketView): void {
    while (this.#ring.count > 0) {
      this.#dropOldest();
      if (sequenceDifference(packet.sequenceNumber, this.#nextSequence) < SLOTS) return;
    }
    // Behind a long gap: begin anew.
    this.#nextSequence = packet.sequenceNumber;
    this.#nextTimestamp = packet.timestamp;
    this.#playing = false;
    this.#skipped = true;
  }

  #dropOldest(): void {
    const oldest = this.#ring.first(this.#nextSequence);
    if (oldest === undefined) return;
    this.counters.dropped++;
    this.#skipped = true;
    this.#advancePast(oldest);
  }

  #advancePast(slot: PacketSlot): void {
    this.#nextSequence = (slot.sequence + 1) & 0xffff;
    this.#nextTimestamp = (slot.timestamp + this.#frameDuration) >>> 0;
    this.#ring.remove(slot);
  }
}
