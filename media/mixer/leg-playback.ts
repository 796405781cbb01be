/**
 * What one phone alone hears: announcements one after the other, and music while nothing else is to be
 * heard. Everything comes and goes in slopes, so that nothing clicks.
 */
import type { Sound } from '../media-api.ts';
import { PcmTrack } from './pcm-track.ts';

/** Announcements that may wait for one phone; more would be spoken long after they were true. */
const MAX_QUEUE = 8;
/** How far a gain moves in a frame: from nothing to all in 100 ms. */
const SLOPE = 0.2;
/** Under an announcement the others are still heard, 12 dB down. */
const UNDER_ANNOUNCEMENT = 0.25;
/** Music is company, not the main thing. */
const MUSIC_GAIN = 0.35;

interface Announcement {
  id: number;
  track: PcmTrack;
}

export type OnPlayed = (id: number, complete: boolean) => void;

export class LegPlayback {
  readonly #onPlayed: OnPlayed;
  readonly #queue: Announcement[] = [];
  #stopping = false;
  #music: PcmTrack | undefined;
  #musicWanted = false;
  #musicGain = 0;
  #hearingGain = 1;
  #mixGain = 1;
  #out = new Int16Array(0);
  #scratch = new Int16Array(0);
  #sum = new Float64Array(0);

  constructor(onPlayed: OnPlayed) {
    this.#onPlayed = onPlayed;
  }

  /** For another thread, where `thaw` goes on with it. */
  freeze() {
    return {
      queue: this.#queue.map(({ id, track }) => ({ id, track: track.freeze() })),
      stopping: this.#stopping,
      music: this.#music?.freeze(),
      musicWanted: this.#musicWanted,
      musicGain: this.#musicGain,
      hearingGain: this.#hearingGain,
      mixGain: this.#mixGain,
    };
  }

  thaw(state: ReturnType<LegPlayback['freeze']>): void {
    for (const { id, track } of state.queue) this.#queue.push({ id, track: PcmTrack.thaw(track) });
    this.#stopping = state.stopping;
    this.#music = state.music && PcmTrack.thaw(state.music);
    this.#musicWanted = state.musicWanted;
    this.#musicGain = state.musicGain;
    this.#hearingGain = state.hearingGain;
    this.#mixGain = state.mixGain;
  }

  /** What the phone hears is not what the others hear. */
  get active(): boolean {
    return (
      this.#queue.length > 0 ||
      this.#musicWanted ||
      this.#musicGain > 0 ||
      this.#hearingGain !== 1 ||
      this.#mixGain !== 1
    );
  }

  /** After those that wait; each is reported once. */
  play(id: number, sounds: readonly Sound[]): void {
    const track = new PcmTrack(sounds);
    if (track.ended || this.#queue.length >= MAX_QUEUE) this.#onPlayed(id, track.ended);
    else this.#queue.push({ id, track });
  }

  /** The one that is heard ends within a frame, the others are dropped. */
  stop(): void {
    if (this.#queue.length === 0) return;
    const [current, ...waiting] = this.#queue.splice(0);
    if (current !== undefined) this.#queue.push(current);
    this.#stopping = true;
    for (const { id } of waiting) this.#onPlayed(id, false);
  }

  /** Endless; none: it fades out. */
  setMusic(sounds: readonly Sound[]): void {
    this.#musicWanted = sounds.length > 0;
    if (this.#musicWanted && this.#musicGain === 0) this.#music = new PcmTrack(sounds, true);
  }

  /** How loud the room is for this phone, 1 as it is. */
  setHearingGain(gain: number): void {
    this.#hearingGain = gain;
  }

  /** Nothing is played any more, and nobody waits for it. */
  close(): void {
    for (const { id } of this.#queue.splice(0)) this.#onPlayed(id, false);
    this.#music = undefined;
  }

  /**
   * 20 ms of the mix at `rate`, undefined for silence, with what is played in it. The answer is good
   * until the next call.
   */
  process(mix: Int16Array | undefined, rate: number): Int16Array | undefined {
    if (!this.active) return mix;
    const length = rate / 50;
    if (this.#out.length !== length) {
      this.#out = new Int16Array(length);
      this.#scratch = new Int16Array(length);
      this.#sum = new Float64Array(length);
    }
    const sum = this.#sum;
    sum.fill(0);
    const announcing = this.#queue.length > 0;
    const under = this.#queue[0]?.track.alone === true ? 0 : UNDER_ANNOUNCEMENT;
    const target = this.#hearingGain * (announcing ? under : 1);
    const step = SLOPE * Math.max(1, this.#hearingGain);
    this.#mixGain = this.#add(mix, this.#mixGain, approach(this.#mixGain, target, step));
    this.#addMusic(rate, announcing);
    if (announcing) this.#announce(rate);
    for (let i = 0; i < length; i++) this.#out[i] = saturate(sum[i]!);

    return this.#out;
  }

  #addMusic(rate: number, announcing: boolean): void {
    const target = this.#musicWanted && !announcing ? MUSIC_GAIN : 0;
    if (this.#music === undefined || (target === 0 && this.#musicGain === 0)) return;
    const next = approach(this.#musicGain, target, SLOPE * MUSIC_GAIN);
    const heard = this.#music.read(this.#scratch, rate) ? this.#scratch : undefined;
    this.#musicGain = this.#add(heard, this.#musicGain, next);
    if (this.#musicGain === 0 && !this.#musicWanted) this.#music = undefined;
  }

  #announce(rate: number): void {
    const current = this.#queue[0]!;
    const stopping = this.#stopping;
    if (current.track.read(this.#scratch, rate)) this.#add(this.#scratch, 1, stopping ? 0 : 1);
    if (!stopping && !current.track.ended) return;
    this.#queue.shift();
    this.#stopping = false;
    this.#onPlayed(current.id, !stopping);
  }

  /** Adds a frame whose gain goes from one value to the other, and answers the latter. */
  #add(frame: Int16Array | undefined, from: number, to: number): number {
    if (frame === undefined) return to;
    const sum = this.#sum;
    const step = (to - from) / frame.length;
    let gain = from;
    for (let i = 0; i < frame.length; i++) {
      gain += step;
      sum[i]! += frame[i]! * gain;
    }

    return to;
  }
}

function approach(value: number, target: number, step: number): number {
  const distance = target - value;

  return Math.abs(distance) <= step ? target : value + Math.sign(distance) * step;
}

/** Straight up to 30000, bent above, so that a louder room never wraps. */
function saturate(value: number): number {
  const size = Math.abs(value);
  if (size <= 30_000) return Math.round(value);
  const over = size - 30_000;

  return Math.sign(value) * Math.round(30_000 + (2767 * over) / (2767 + over));
}
