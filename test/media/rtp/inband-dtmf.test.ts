import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { createDecoder } from '../../../media/codec/index.ts';
import { audioCodec } from '../../../media/index.ts';
import { INBAND_LOOK_AHEAD, InbandDtmf } from '../../../media/rtp/index.ts';
import {
  ALL_KEYS,
  join,
  keyTone,
  peakOf,
  randomNumbers,
  silence,
  withNoise,
  type KeyTone,
} from '../../support/key-tones.ts';

const RATE = 8000;

interface Heard {
  keys: string;
  durations: number[];
  /** Milliseconds of packets of 20 ms that would be cut. */
  cutMs: number;
}

function hear(pcm: Int16Array): Heard {
  const heard: Heard = { keys: '', durations: [], cutMs: 0 };
  const detector = new InbandDtmf((digit, durationMs) => {
    heard.keys += digit;
    heard.durations.push(durationMs);
  });
  for (let at = 0; at < pcm.length; at += 160) {
    const packet = pcm.subarray(at, at + 160);
    if (detector.push(packet, packet.length)) heard.cutMs += 20;
  }
  detector.end();

  return heard;
}

/** All keys, one after the other. */
function dial(options: Omit<KeyTone, 'key'>, gap = 60): Float64Array[] {
  return [...ALL_KEYS].flatMap((key) => [silence(gap), keyTone({ ...options, key })]);
}

describe('legacy-dtmf-inband: keys as tones', () => {
  it.each([-5, -10, -15, -20, -25, -30])('all sixteen are heard at %i dBm0', (level) => {
    const { keys, durations } = hear(join(dial({ level })));
    expect(keys).toBe(ALL_KEYS);
    for (const duration of durations) expect(Math.abs(duration - 80)).toBeLessThanOrEqual(12);
  });

  it.each([-1.5, 1.5])('with frequencies %f %% off', (off) => {
    expect(hear(join(dial({ off }))).keys).toBe(ALL_KEYS);
  });

  it.each([4, -8])('with a column %i dB above its row', (twist) => {
    for (const off of [-1.5, 0, 1.5]) {
      expect([off, hear(join(dial({ twist, off }))).keys]).toEqual([off, ALL_KEYS]);
    }
  });

  it.each([9, -14])('but not with a column %i dB above its row', (twist) => {
    expect(hear(join(dial({ twist }))).keys).toBe('');
  });

  it.each([-5, -30])('in noise 15 dB below tones of %i dBm0', (level) => {
    // The power of two sines is the square of the peak of one.
    const rms = peakOf(level) * 10 ** (-15 / 20);
    for (let seed = 1; seed <= 5; seed++) {
      const { keys } = hear(
        join([withNoise(Float64Array.from(join(dial({ level }))), rms, randomNumbers(seed))]),
      );
      expect([seed, keys]).toEqual([seed, ALL_KEYS]);
    }
  });

  it('from 40 ms on, wherever they begin (Q.24), and not from 20 ms', () => {
    for (let shift = 0; shift < 40; shift += 3) {
      const before = new Float64Array(shift);
      const heard = hear(join([before, ...dial({ ms: 40 }, 40), silence(60)]));
      expect([shift, heard.keys]).toEqual([shift, ALL_KEYS]);
      expect(hear(join([before, ...dial({ ms: 20 }, 40)])).keys).toBe('');
    }
  });

  it('one key twice needs a gap of 40 ms; one of 5 ms does not part it', () => {
    const tone = keyTone({ key: '5' });
    expect(hear(join([tone, silence(40), tone])).keys).toBe('55');
    expect(hear(join([tone, silence(5), tone])).keys).toBe('5');
  });

  it('a lost packet does not part it', () => {
    const tone = keyTone({ key: '#', ms: 160 });
    expect(hear(join([tone.subarray(0, 480), tone.subarray(640)])).keys).toBe('#');
  });

  it('are suspected within the time that packets are held back', () => {
    for (const off of [-1, 0, 1]) {
      for (const key of ALL_KEYS) {
        for (let shift = 0; shift < 40; shift += 3) {
          const detector = new InbandDtmf(() => undefined);
          const quiet = 400 + shift;
          detector.push(new Int16Array(quiet), quiet);
          const tone = join([keyTone({ key, off })]);
          const found = detector.push(tone, INBAND_LOOK_AHEAD);
          expect([off, key, shift, found]).toEqual([off, key, shift, true]);
        }
      }
    }
  });

  it('are suspected to their end', () => {
    for (let ms = 41; ms < 80; ms++) {
      const detector = new InbandDtmf(() => undefined);
      const tone = join([silence(20), keyTone({ key: '8', ms })]);
      detector.push(tone, tone.length);
      expect(detector.suspicious).toBe(true);
    }
  });
});

describe('legacy-dtmf-talkoff: what is no key', () => {
  it('one tone, the tones of the network, noise', () => {
    for (const frequencies of [
      [697],
      [1209],
      [350, 440],
      [480, 620],
      [425],
      [697, 770],
      [1400, 2060],
    ]) {
      const sound = sines(frequencies, 2, -12);
      expect([frequencies, hear(join([sound]))]).toEqual([
        frequencies,
        { keys: '', durations: [], cutMs: 0 },
      ]);
    }
    expect(hear(join([withNoise(silence(20_000), 3000)])).keys).toBe('');
  });

  it('a voice: a pitch that glides with its overtones through moving formants', () => {
    const heard = hear(join([voice(15)]));
    expect(heard.keys).toBe('');
    expect(heard.cutMs).toBeLessThan(150);
  });

  it('music: chords of notes with overtones, at every pitch', () => {
    const random = randomNumbers(7);
    const chords = Array.from({ length: 40 }, () => {
      const notes = [0, 0, 0].map(() => 110 * 2 ** (Math.floor((random() + 1) * 24) / 12));

      return sines(
        notes.flatMap((note) => [note, 2 * note, 3 * note, 4 * note].filter((f) => f < 3800)),
        0.3,
        -26,
      );
    });
    expect(hear(join(chords)).keys).toBe('');
  });

  it('recorded voices of five languages', () => {
    const recordings = recorded('/usr/share/asterisk/sounds', 30);
    const heard = hear(recordings);
    expect(heard.keys).toBe('');
    expect(heard.cutMs).toBeLessThanOrEqual((recordings.length / RATE) * 1000 * 0.005);
  });

  it('recorded music', () => {
    const recordings = recorded('/usr/share/asterisk/moh', 15);
    expect(hear(recordings).keys).toBe('');
  });
});

function sines(frequencies: readonly number[], seconds: number, level: number): Float64Array {
  return Float64Array.from({ length: RATE * seconds }, (_, i) =>
    frequencies.reduce((sum, f) => sum + peakOf(level) * Math.sin((2 * Math.PI * f * i) / RATE), 0),
  );
}

function voice(seconds: number): Float64Array {
  const out = new Float64Array(RATE * seconds);
  let phase = 0;
  for (let i = 0; i < out.length; i++) {
    const t = i / RATE;
    const pitch =
      160 + 90 * Math.sin(2 * Math.PI * 0.37 * t) + 20 * Math.sin(2 * Math.PI * 3.1 * t);
    const formants = [
      500 + 300 * Math.sin(2 * Math.PI * 0.9 * t),
      1500 + 600 * Math.sin(2 * Math.PI * 0.7 * t + 1),
      2600 + 300 * Math.sin(2 * Math.PI * 0.5 * t),
    ];
    phase += (2 * Math.PI * pitch) / RATE;
    let sample = 0;
    for (let n = 1; n * pitch < 3800; n++) {
      const gain = formants.reduce((sum, f) => sum + 1 / (1 + ((n * pitch - f) / 90) ** 2), 0.02);
      sample += gain * Math.sin(n * phase);
    }
    const syllable = Math.max(0, Math.sin(2 * Math.PI * 4 * t));
    out[i] = 5000 * syllable * sample;
  }

  return out;
}

/** Seconds of what Debian's packages hold, at 8 kHz; nothing where they are not installed. */
function recorded(folder: string, seconds: number): Int16Array {
  const files = existsSync(folder)
    ? readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(isRecording)
    : [];
  const out = new Int16Array(seconds * RATE);
  const packet = new Int16Array(RATE);
  let length = 0;
  files.sort();
  for (const file of files.filter((_, i) => i % Math.ceil(files.length / 100) === 0)) {
    const bytes = readFileSync(path.join(folder, file));
    const decoder = createDecoder(audioCodec('G722'), RATE);
    const most = Math.min(out.length, length + out.length / Math.min(100, files.length));
    for (let at = 0; at < bytes.length && length + 160 <= most; at += 160) {
      const count = decoder.decode(bytes.subarray(at, at + 160), packet);
      out.set(packet.subarray(0, count), length);
      length += count;
    }
    decoder.close();
  }

  return out.subarray(0, length);
}

function isRecording(file: string): boolean {
  return file.endsWith('.g722');
}
