import { describe, expect, it } from '@jest/globals';
import { createEncoder } from '../../../media/codec/index.ts';
import { audioCodec } from '../../../media/codecs.ts';
import { opusActivity } from '../../../media/mixer/opus-activity.ts';

function of(...octets: number[]): string {
  return opusActivity(Uint8Array.from(octets), 0, octets.length);
}

const MORE = [0, 0, 0];
/** A bit rate at which voices are SILK's. */
const SPEECH_CODEC = 'maxaveragebitrate=32000';

describe('opusActivity (RFC 6716 3.1, 4.2.3)', () => {
  it('takes what holds nothing for silence', () => {
    expect([of(0xf8), of(0xf8, 0xff), of(0xf8, 0xff, 0xfe)]).toEqual(Array(3).fill('silent'));
  });

  it('reads the flag of a SILK and of a hybrid frame', () => {
    const silk20 = 1 << 3;
    const hybrid20 = 15 << 3;

    expect([of(silk20, 0x80, ...MORE), of(silk20, 0x7f, ...MORE)]).toEqual(['active', 'inactive']);
    expect([of(hybrid20, 0x80, ...MORE), of(hybrid20, 0x40, ...MORE)]).toEqual([
      'active',
      'inactive',
    ]);
  });

  it('reads one flag for each 20 ms of a longer frame', () => {
    const silk60 = 3 << 3;

    expect([of(silk60, 0x20, ...MORE), of(silk60, 0x1f, ...MORE)]).toEqual(['active', 'inactive']);
  });

  it("reads the side's flag of stereo behind the middle's two", () => {
    const stereo20 = (1 << 3) | 4;

    expect([of(stereo20, 0x20, ...MORE), of(stereo20, 0x40, ...MORE)]).toEqual([
      'active',
      'inactive',
    ]);
  });

  it('knows nothing of CELT and of packets with several frames', () => {
    expect([of(31 << 3, 0, ...MORE), of((1 << 3) | 1, 0, ...MORE)]).toEqual(['unknown', 'unknown']);
  });

  it('agrees with libopus about a voice and about the noise of a quiet room', () => {
    const rate = 16_000;
    const encoder = createEncoder(audioCodec('opus'), rate, 20, SPEECH_CODEC);
    const payload = new Uint8Array(1400);
    let phase = 0;
    const seen = Array.from({ length: 300 }, (_unused, index) => {
      const talks = index >= 150;
      const frame = Int16Array.from({ length: rate / 50 }, () => {
        phase += (talks ? 120 + 30 * Math.sin(index / 3) : 0) / rate;
        const pulse = Math.exp(-12 * (phase % 1)) * 12_000 * (1 + Math.sin(index / 4));

        return (talks ? pulse : 0) + (Math.random() - 0.5) * 60;
      });

      return opusActivity(payload, 0, encoder.encode(frame, payload));
    });
    encoder.close();
    const share = (from: number, to: number): number =>
      seen.slice(from, to).filter((each) => each === 'active' || each === 'unknown').length /
      (to - from);

    expect(share(50, 150)).toBeLessThan(0.3);
    expect(share(160, 300)).toBeGreaterThan(0.7);
  });
});
