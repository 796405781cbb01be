import { describe, expect, it } from '@jest/globals';
import { createDecoder } from '../../../media/codec/index.ts';
import { audioCodec, type AudioCodecName } from '../../../media/codecs.ts';
import { AudioMixer, fadeIn, fadeOut } from '../../../media/mixer/audio-mixer.ts';
import { LegPlayback } from '../../../media/mixer/leg-playback.ts';
import { MixEncoder } from '../../../media/mixer/mix-encoder.ts';
import { OwnMix } from '../../../media/mixer/own-mix.ts';
import { RTP_HEADER_LENGTH } from '../../../media/rtp/index.ts';
import { joinFrames, ToneSource } from '../../support/tone-source.ts';

const FIRST = 20;
const LAST = 60;
const FRAMES = 100;

/**
 * What a listener decodes who talks (`level` dBFS, 700 Hz) from frame FIRST to LAST while another (440 Hz)
 * talks all the time; with `alone` it is given the shared mix throughout and talks nothing.
 */
function listen(name: AudioCodecName, rate: number, level: number, alone = false): Int16Array {
  const codec = audioCodec(name);
  const mixer = new AudioMixer(rate / 50);
  const shared = new MixEncoder(codec, rate, 20);
  const own = new OwnMix(mixer, rate, shared);
  const other = new ToneSource(440, rate, -15);
  const mine = new ToneSource(700, rate, level);
  const playback = new LegPlayback(() => undefined);
  const decoder = createDecoder(codec, rate);
  const pcm = new Int16Array(rate);
  const heard: Int16Array[] = [];
  for (let i = 0; i < FRAMES; i++) {
    mixer.begin();
    mixer.add(other.next(rate / 50));
    const talks = !alone && i >= FIRST && i < LAST;
    const frame = mine.next(rate / 50);
    if (i === FIRST) fadeIn(frame, rate / 200);
    if (i === LAST - 1) fadeOut(frame, rate / 200);
    if (talks) mixer.add(frame);
    const everyone = mixer.finish();
    if (talks) {
      own.start(shared);
      own.push(frame, playback);
    } else if (own.active) {
      if (own.settled) own.stop();
      else own.settle(everyone);
    }
    shared.push(everyone);
    while (shared.next()) {
      if (own.active) own.encoder.next();
      const { packet, payloadLength } = own.active ? own.encoder : shared;
      const payload = packet.subarray(RTP_HEADER_LENGTH, RTP_HEADER_LENGTH + payloadLength);
      heard.push(pcm.slice(0, decoder.decode(payload, pcm)));
    }
  }
  for (const each of [own, shared, decoder]) each.close();

  return joinFrames(heard);
}

/** Greatest second difference: a click is a corner that the tone does not have. */
function sharpest(samples: Int16Array): number {
  let most = 0;
  for (let i = 2; i < samples.length; i++) {
    most = Math.max(most, Math.abs(samples[i]! - 2 * samples[i - 1]! + samples[i - 2]!));
  }

  return most;
}

describe('OwnMix', () => {
  it.each([-20, 0])(
    'changes from the shared mix and back without a step, own voice at %i dBFS',
    (level) => {
      const still = listen('PCMU', 8000, level, true);
      const changed = listen('PCMU', 8000, level);

      expect(changed.length).toBe(still.length);
      // Its own tone is not in it at all, so that it hears the other as if it had said nothing.
      expect(sharpest(changed)).toBeLessThanOrEqual(sharpest(still) * 1.05);
    },
  );

  it('hears the others alone from the first sample of its own voice', () => {
    const still = listen('PCMU', 8000, -20, true);
    const changed = listen('PCMU', 8000, -20);
    const until = LAST * 160;

    expect([...changed.subarray(0, until)]).toEqual([...still.subarray(0, until)]);
  });

  it('changes to an Opus encoder of its own and back without a seam', () => {
    const still = listen('opus', 48_000, -20, true);
    const changed = listen('opus', 48_000, -20);
    const noise = (from: number, to: number): number => {
      let energy = 0;
      for (let i = from * 960; i < to * 960; i++) energy += (changed[i]! - still[i]!) ** 2;

      return 10 * Math.log10(energy / ((to - from) * 960) / 32_767 ** 2 + 1e-12);
    };

    // The other's tone stands at −18 dBov; what the change adds is below what the codec itself adds.
    expect(noise(FIRST - 2, FIRST + 5)).toBeLessThan(-45);
    expect(noise(LAST, LAST + 5)).toBeLessThan(-45);
    expect(noise(LAST + 5, LAST + 12)).toBeLessThan(-45);
    expect(sharpest(changed)).toBeLessThanOrEqual(sharpest(still) * 1.1);
  });

  it('is let go of at once by G.711, a moment later by a codec with memory', () => {
    for (const [name, rate, frames] of [
      ['PCMU', 8000, 1],
      ['opus', 48_000, 5],
    ] as const) {
      const mixer = new AudioMixer(rate / 50);
      const own = new OwnMix(mixer, rate, new MixEncoder(audioCodec(name), rate, 20));
      const shared = new MixEncoder(audioCodec(name), rate, 20);
      own.start(shared);
      let settling = 0;
      while (!own.settled) {
        own.settle(new Int16Array(rate / 50));
        while (own.encoder.next());
        settling++;
      }
      own.close();
      shared.close();

      expect(settling).toBe(frames);
    }
  });
});
