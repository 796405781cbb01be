/**
 * What comes from one sender on its way into the mix.
 *
 * Size: the steps of a voice share its decoder, its buffers and its pauses.
 */
import {
  ComfortNoise,
  createDecoder,
  MAX_PACKET_MS,
  Resampler,
  TimeStretcher,
  type AudioDecoder,
} from '../codec/index.ts';
import { COMFORT_NOISE, ownCodec, type AudioCodec } from '../codecs.ts';
import { JitterBuffer, type JitterFrame, type RtpPacketView } from '../rtp/index.ts';
import { energyToLevel, measureLevel, SILENCE_DBOV, SpeechDetector } from './audio-level.ts';
import { fadeIn, fadeOut } from './audio-mixer.ts';
import { GainControl } from './gain-control.ts';
import { FRAME_MS } from './mixer-clock.ts';
import { opusActivity } from './opus-activity.ts';
import { PcmFifo } from './pcm-fifo.ts';
import type { TalkerCandidate } from './talker-selection.ts';

const FRAMES_PER_SECOND = 1000 / FRAME_MS;
/** A gap this short is filled in by the decoder, a longer one is a pause. */
const CONCEAL_MS = 60;
/** A sender that tells levels but sends nothing for this long is silent. */
const TOLD_LEVEL_LIFE_MS = 100;
/** A sender that pauses is heard of again now and then; its noise ends when it is not. */
const MAX_PAUSE_MS = 5000;
const DTX_OCTETS = 2;
/** Long enough to be no click, short enough to cut nothing off. */
const FADE_MS = 5;

/** Packets without a voice in a row before they are no longer decoded: more than a jitter buffer holds. */
const QUIET_PACKETS = 10;
/** One of so many is decoded all the same: an encoder that hears no voice may still hear music. */
const QUIET_CHECK_FRAMES = 10;

/** One decoder's output at a time passes through here: every input of a thread shares it. */
const decoded = new Int16Array((48_000 * MAX_PACKET_MS) / 1000);

/**
 * One voice on its way into the mix: packets wait in the jitter buffer, each tick takes 20 ms out,
 * decodes them, measures the level; only when the voice is chosen is it brought to the mix rate.
 */
export class MixerInput implements TalkerCandidate {
  /** Goes on in the next frame unless it fades out. */
  talking = false;
  /** Is in the frame that is being mixed now. */
  mixed = false;
  /** Automatic gain; undefined: the voice is mixed as it comes. */
  gainControl: GainControl | undefined;
  readonly #detector = new SpeechDetector();
  #mixRate: number;
  #codec: AudioCodec | undefined;
  #decoder: AudioDecoder | undefined;
  #jitter: JitterBuffer | undefined;
  #resampler: Resampler | undefined;
  #stretcher: TimeStretcher | undefined;
  #noise: ComfortNoise | undefined;
  /** The sender said that it would pause: `#noise`, or the decoder's own, fills in until it goes on. */
  #pausing: 'noise' | 'codec' | undefined;
  #fifo = new PcmFifo(0);
  #native = new Int16Array(0);
  /** `#native` is known to be zeros. */
  #hushed = false;
  #mixFrame: Int16Array;
  #starvedMs = Number.POSITIVE_INFINITY;
  #starvedFrames = 0;
  #toldAt = Number.NEGATIVE_INFINITY;
  /** Packets in a row in which nothing can be heard, and in which no voice was found. */
  #silentPackets = 0;
  #quietPackets = 0;
  #quietFrames = 0;
  /** dBov, of the frame that was decoded last. */
  #measured = SILENCE_DBOV;

  constructor(mixRate: number) {
    this.#mixRate = mixRate;
    this.#mixFrame = new Int16Array(mixRate / FRAMES_PER_SECOND);
  }

  /** dBov. */
  get level(): number {
    return this.#detector.level;
  }

  get audible(): boolean {
    return this.#detector.audible;
  }

  get speaking(): boolean {
    return this.#detector.speaking;
  }

  /** Frames for which a sender that was heard before had nothing. */
  get starvedFrames(): number {
    return this.#starvedFrames;
  }

  /** The codec that the sender uses now; undefined before its first packet. */
  get codec(): AudioCodec | undefined {
    return this.#codec;
  }

  /** What `frame` answered last. */
  get lastFrame(): Int16Array {
    return this.#mixFrame;
  }

  get bufferedMs(): number {
    return this.#jitter?.depthMs ?? 0;
  }

  /** Packets of this codec that came after their time. */
  get latePackets(): number {
    return this.#jitter?.counters.late ?? 0;
  }

  /** `level`: what the sender says of the packet (RFC 6464), so that silence need not be decoded. */
  push(packet: RtpPacketView, codec: AudioCodec, now: number, level?: number): void {
    const noise = codec.name === COMFORT_NOISE.name;
    if (noise && this.#codec?.clockRate !== codec.clockRate) return;
    if (!noise && (this.#codec?.name !== codec.name || this.#jitter === undefined)) {
      this.#start(codec);
    }
    this.#jitter?.push(packet, now);
    if (codec.name === 'opus') this.#noteActivity(packet);
    if (level === undefined) return;
    this.#toldAt = now;
    this.#detector.update(level, FRAME_MS);
  }

  /** Takes the next 20 ms out of the jitter buffer; `wanted`: it may be heard. */
  tick(now: number, wanted = true): void {
    if (this.#jitter === undefined || this.#decoder === undefined) return;
    const told = now - this.#toldAt < TOLD_LEVEL_LIFE_MS;
    const quiet = told ? !this.audible : this.#maySkip(wanted, this.#decoder);
    if (!wanted) this.#measured = SILENCE_DBOV;
    if (quiet) this.#passBy(this.#jitter, this.#decoder, now, !told && wanted);
    else this.#play(this.#jitter, this.#decoder, now);
    if (told) return;
    const level = this.#starvedMs > CONCEAL_MS ? SILENCE_DBOV : this.#measured;
    this.#detector.update(level, FRAME_MS);
  }

  /** The 20 ms of the last `tick` at the mix rate; `last`: the voice ends with it. */
  frame(last = false): Int16Array {
    const out = this.#mixFrame;
    if (!this.talking) this.#resampler?.reset();
    if (this.#native.length === 0) out.fill(0);
    else if (this.#resampler === undefined) out.set(this.#native);
    else this.#resampler.process(this.#native, this.#native.length, out);
    this.gainControl?.process(out, this.#measured, this.#detector.speaking);
    const fade = (this.#mixRate * FADE_MS) / 1000;
    if (!this.talking) fadeIn(out, fade);
    if (last) fadeOut(out, fade);
    this.talking = !last;
    this.mixed = true;

    return out;
  }

  setMixRate(mixRate: number): void {
    if (mixRate === this.#mixRate) return;
    this.#mixRate = mixRate;
    this.#mixFrame = new Int16Array(mixRate / FRAMES_PER_SECOND);
    if (this.#codec !== undefined) this.#openDecoder(this.#codec);
  }

  /** Another source follows: nothing of the old one is to be heard any more. */
  reset(): void {
    this.#jitter?.reset();
    this.#decoder?.reset();
    this.#fifo.clear();
    this.#pausing = undefined;
    this.#native.fill(0);
    this.#detector.reset();
    this.gainControl?.reset();
    this.#starvedMs = Number.POSITIVE_INFINITY;
    this.#toldAt = Number.NEGATIVE_INFINITY;
  }

  /** For another thread, where `thaw` of one at the same mix rate goes on with it, decoder and all. */
  freeze() {
    return {
      codec: this.#codec,
      talking: this.talking,
      mixed: this.mixed,
      gain: this.gainControl?.freeze(),
      detector: this.#detector.freeze(),
      decoder: this.#decoder?.freeze?.(),
      jitter: this.#jitter?.freeze(),
      noise: this.#noise?.freeze(),
      pausing: this.#pausing,
      waiting: this.#fifo.freeze(),
      native: this.#native.slice(),
      mixFrame: this.#mixFrame.slice(),
      starvedMs: this.#starvedMs,
      starvedFrames: this.#starvedFrames,
      toldAt: this.#toldAt,
      silentPackets: this.#silentPackets,
      quietPackets: this.#quietPackets,
      quietFrames: this.#quietFrames,
      measured: this.#measured,
    };
  }

  thaw(state: ReturnType<MixerInput['freeze']>): void {
    if (state.codec !== undefined) this.#start(ownCodec(state.codec));
    ({
      talking: this.talking,
      mixed: this.mixed,
      pausing: this.#pausing,
      starvedMs: this.#starvedMs,
      starvedFrames: this.#starvedFrames,
      toldAt: this.#toldAt,
      silentPackets: this.#silentPackets,
      quietPackets: this.#quietPackets,
      quietFrames: this.#quietFrames,
      measured: this.#measured,
    } = state);
    this.#detector.thaw(state.detector);
    if (state.gain !== undefined) (this.gainControl ??= new GainControl()).thaw(state.gain);
    if (state.noise !== undefined) (this.#noise ??= new ComfortNoise()).thaw(state.noise);
    if (state.decoder !== undefined) this.#decoder?.thaw?.(state.decoder);
    if (state.jitter !== undefined) this.#jitter?.thaw(state.jitter);
    this.#fifo.write(state.waiting, state.waiting.length);
    this.#native = state.native;
    // The resampler looks back less than a frame.
    if (state.talking) this.#resampler?.process(this.#native, this.#native.length, this.#mixFrame);
    this.#mixFrame = state.mixFrame;
  }

  #noteActivity({ data, payloadOffset, payloadLength }: RtpPacketView): void {
    const activity = opusActivity(data, payloadOffset, payloadLength);
    this.#silentPackets = activity === 'silent' ? this.#silentPackets + 1 : 0;
    const isQuiet = activity === 'silent' || activity === 'inactive';
    this.#quietPackets = isQuiet ? this.#quietPackets + 1 : 0;
  }

  /** Whether the next 20 ms need not be decoded, unless they turn out to be loud. */
  #maySkip(wanted: boolean, decoder: AudioDecoder): boolean {
    // One who is heard still needs a frame to fade out.
    if (decoder.energyOf !== undefined) return !this.talking && (!wanted || !this.audible);
    if (this.#codec?.name !== 'opus') return false;
    if (!wanted) return true;
    if (this.audible || this.#quietPackets < QUIET_PACKETS) return false;
    if (this.#silentPackets >= QUIET_PACKETS) return true;

    return ++this.#quietFrames % QUIET_CHECK_FRAMES !== 0;
  }

  close(): void {
    this.#decoder?.close();
    this.#decoder = undefined;
    this.#jitter = undefined;
    this.#codec = undefined;
  }

  #start(codec: AudioCodec): void {
    const sameClock = this.#jitter !== undefined && this.#codec?.clockRate === codec.clockRate;
    const redundant = codec.name === 'opus';
    if (!sameClock) this.#jitter = new JitterBuffer({ clockRate: codec.clockRate, redundant });
    this.#codec = codec;
    this.#openDecoder(codec);
  }

  /** Opus decodes at any rate by itself; others at their own, and are resampled when chosen. */
  #openDecoder(codec: AudioCodec): void {
    const rate = codec.name === 'opus' ? this.#mixRate : codec.sampleRate;
    this.#decoder?.close();
    this.#decoder = createDecoder(codec, rate);
    this.#resampler = rate === this.#mixRate ? undefined : new Resampler(rate, this.#mixRate);
    this.#stretcher = new TimeStretcher(rate);
    this.#pausing = undefined;
    this.#fifo = new PcmFifo((rate * (MAX_PACKET_MS + FRAME_MS)) / 1000);
    this.#native = new Int16Array(rate / FRAMES_PER_SECOND);
  }

  #play(jitter: JitterBuffer, decoder: AudioDecoder, now: number): void {
    this.#hushed = false;
    if (!this.#playStraight(jitter, decoder, now)) {
      this.#fill(jitter, decoder, now);
      this.#fifo.read(this.#native);
    }
    this.#measured = measureLevel(this.#native);
  }

  /** 20 ms of one who is not heard are counted, not decoded; `listen`: one that becomes loud is. */
  #passBy(jitter: JitterBuffer, decoder: AudioDecoder, now: number, listen: boolean): void {
    const fifo = this.#fifo;
    const wanted = this.#native.length;
    const perMs = decoder.sampleRate / 1000;
    fifo.hush();
    while (fifo.length < wanted) {
      const stretch = jitter.stretch(now);
      const next = jitter.pull(now, fifo.length / perMs);
      if (next === 'empty') {
        this.#starve(decoder, wanted - fifo.length, false);
        break;
      }
      this.#starvedMs = 0;
      const samples = this.#toSamples(jitter.frameDuration, decoder);
      if (next === 'missing' || this.#announcesPause(next, jitter)) {
        fifo.writeSilence(samples);
      } else if (listen && this.#standsOut(next, decoder)) {
        this.#wake(next, jitter, decoder, now);

        return;
      } else {
        // Silence is stretched by any length at all.
        const length = Math.max(samples >> 1, samples + Math.round(stretch * perMs));
        if (length !== samples) jitter.stretched((length - samples) / perMs, now);
        fifo.writeSilence(length);
      }
    }
    fifo.skip(wanted);
    if (!this.#hushed) this.#native.fill(0);
    this.#hushed = true;
  }

  #standsOut(next: JitterFrame, decoder: AudioDecoder): boolean {
    const energy = decoder.energyOf?.(next.data, next.offset, next.length);
    if (energy === undefined) return false;
    // All of a long packet's sound may be in one frame of it.
    this.#measured = energyToLevel(energy, Math.min(next.length, this.#native.length));

    return this.#detector.standsOut(this.#measured);
  }

  #wake(first: JitterFrame, jitter: JitterBuffer, decoder: AudioDecoder, now: number): void {
    // What it heard before the pause is of no use to conceal anything with.
    decoder.reset();
    this.#fifo.write(decoded, decoder.decode(first.payload, decoded));
    this.#play(jitter, decoder, now);
  }

  /** The usual case, a packet of exactly one frame with nothing before it: decoded where it is used. */
  #playStraight(jitter: JitterBuffer, decoder: AudioDecoder, now: number): boolean {
    const native = this.#native;
    if (this.#fifo.length > 0 || jitter.stretch(now) !== 0) return false;
    if (this.#toSamples(jitter.frameDuration, decoder) !== native.length) return false;
    const next = jitter.pull(now);
    if (next === 'empty') {
      this.#starve(decoder, native.length, true);
    } else if (next === 'missing') {
      this.#starvedMs = 0;
      this.#conceal(jitter, decoder, native.length);
    } else if (this.#announcesPause(next, jitter)) {
      this.#fillPause(decoder, native.length);
    } else {
      this.#starvedMs = 0;
      const count = decoder.decode(next.payload, native);
      if (count === native.length) return true;
      // Shorter than expected it is only the beginning of the frame; longer it did not fit.
      if (count > 0) this.#fifo.write(native, count);
      else this.#fifo.write(decoded, decoder.decode(next.payload, decoded));
      this.#fill(jitter, decoder, now);
    }
    this.#fifo.read(native);

    return true;
  }

  #conceal(jitter: JitterBuffer, decoder: AudioDecoder, samples: number): void {
    const behind = jitter.peek();
    const filled =
      behind === undefined
        ? decoder.conceal(decoded, samples)
        : decoder.recover(behind, decoded, samples);
    if (filled > 0) this.#fifo.write(decoded, filled);
    else this.#fifo.writeSilence(samples);
  }

  #fill(jitter: JitterBuffer, decoder: AudioDecoder, now: number): void {
    const fifo = this.#fifo;
    const wanted = this.#native.length;
    while (fifo.length < wanted) {
      const stretch = jitter.stretch(now);
      const next = jitter.pull(now, (fifo.length * 1000) / decoder.sampleRate);
      if (next === 'empty') {
        this.#starve(decoder, wanted - fifo.length, true);

        return;
      }
      this.#starvedMs = 0;
      const samples = this.#toSamples(jitter.frameDuration, decoder);
      if (next === 'missing') {
        this.#conceal(jitter, decoder, samples);
      } else if (this.#announcesPause(next, jitter)) {
        this.#fillPause(decoder, samples);
      } else {
        const count = decoder.decode(next.payload, decoded);
        // A payload that makes no sense still takes its time.
        if (count === 0) fifo.writeSilence(samples);
        else fifo.write(decoded, this.#stretch(jitter, stretch, count, now));
      }
    }
  }

  /** Samples in `decoded` afterwards. */
  #stretch(jitter: JitterBuffer, ms: number, count: number, now: number): number {
    const stretcher = this.#stretcher;
    if (ms === 0 || stretcher === undefined) return count;
    const after =
      ms < 0 ? stretcher.shorten(decoded, count, -ms) : stretcher.lengthen(decoded, count);
    const perMs = (this.#native.length * FRAMES_PER_SECOND) / 1000;
    if (after !== count) jitter.stretched((after - count) / perMs, now);

    return after;
  }

  /** RFC 3389, and Opus packets of DTX: "2 bytes or less". */
  #announcesPause(next: JitterFrame, jitter: JitterBuffer): boolean {
    const noise = next.payloadType === COMFORT_NOISE.payloadType && this.#codec?.clockRate === 8000;
    const dtx = this.#codec?.name === 'opus' && next.length <= DTX_OCTETS;
    if (noise) (this.#noise ??= new ComfortNoise()).describe(next.payload);
    this.#pausing = noise ? 'noise' : dtx ? 'codec' : undefined;
    if (this.#pausing === undefined) return false;
    this.#starvedMs = 0;
    jitter.pause();

    return true;
  }

  #fillPause(decoder: AudioDecoder, samples: number): void {
    const filled =
      this.#pausing === 'noise' && this.#noise !== undefined
        ? this.#noise.fill(decoded, samples)
        : decoder.conceal(decoded, samples);
    this.#fifo.write(decoded, filled);
  }

  #starve(decoder: AudioDecoder, samples: number, decode: boolean): void {
    if (this.#pausing !== undefined && this.#starvedMs < MAX_PAUSE_MS) {
      this.#starvedMs = Math.max(this.#starvedMs, CONCEAL_MS) + FRAME_MS;
      if (decode) this.#fillPause(decoder, samples);

      return;
    }
    if (this.#starvedMs === Number.POSITIVE_INFINITY) return;
    if (this.#starvedMs < 1000) this.#starvedFrames++;
    this.#starvedMs += FRAME_MS;
    if (decode && this.#starvedMs <= CONCEAL_MS) {
      this.#fifo.write(decoded, decoder.conceal(decoded, samples));
    }
  }

  /** Never 0, so that filling ends, and never more than a packet may hold. */
  #toSamples(duration: number, decoder: AudioDecoder): number {
    const codecClock = this.#codec?.clockRate ?? decoder.sampleRate;
    const samples = Math.round((duration * decoder.sampleRate) / codecClock);
    const longest = (decoder.sampleRate * MAX_PACKET_MS) / 1000;

    return Math.max(this.#native.length >> 2, Math.min(longest, samples));
  }
}
