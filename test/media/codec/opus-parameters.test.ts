import { describe, expect, it } from '@jest/globals';
import { createDecoder, createEncoder, encodingKey } from '../../../media/codec/index.ts';
import { createOpusEncoder, opusBackend } from '../../../media/codec/opus.ts';
import { readOpusParameters } from '../../../media/codec/opus-parameters.ts';
import { audioCodec } from '../../../media/codecs.ts';
import { levelAt, tone } from './signals.ts';

const OPUS = audioCodec('opus');

describe('what a far end says of Opus (RFC 7587 6.1)', () => {
  it('has the defaults of the RFC', () => {
    for (const text of [undefined, '', 'nonsense', 'maxplaybackrate=; =1;;usedtx=x']) {
      expect(readOpusParameters(text)).toEqual({
        maxPlaybackRate: 48_000,
        maxAverageBitrate: undefined,
        fec: false,
        dtx: false,
        cbr: false,
      });
    }
  });

  it('reads what is there, in any case and spacing, and bounds it', () => {
    const text = 'MaxPlaybackRate=16000; maxaveragebitrate=20000;usedtx=1 ; useinbandfec=1; cbr=1';
    expect(readOpusParameters(text)).toEqual({
      maxPlaybackRate: 16_000,
      maxAverageBitrate: 20_000,
      fec: true,
      dtx: true,
      cbr: true,
    });
    const odd = readOpusParameters('maxplaybackrate=999999;maxaveragebitrate=5');
    expect(odd).toMatchObject({ maxPlaybackRate: 48_000, maxAverageBitrate: undefined });
  });

  it('lets those share an encoder who can get the same packets', () => {
    expect(encodingKey(OPUS, 20, 'useinbandfec=1;stereo=1')).toBe(
      encodingKey(OPUS, 20, 'sprop-stereo=0; useinbandfec=1'),
    );
    expect(encodingKey(OPUS, 20, 'usedtx=1')).not.toBe(encodingKey(OPUS, 20, 'usedtx=0'));
    expect(encodingKey(audioCodec('PCMU'), 20, 'x=1')).toBe('PCMU/20');
  });
});

/** What a listener of the whole band gets of a tone, dB. */
function heardOf(frequency: number, formatParameters: string): { level: number; bitrate: number } {
  const encoder = createEncoder(OPUS, 48_000, 20, formatParameters);
  const decoder = createDecoder(OPUS, 48_000);
  const pcm = tone(frequency, 48_000, 48_000);
  const heard = new Int16Array(48_000);
  const packet = new Uint8Array(1400);
  let octets = 0;
  for (let at = 0; at < 48_000; at += 960) {
    const length = encoder.encode(pcm.subarray(at), packet);
    octets += length;
    decoder.decode(packet.subarray(0, length), heard.subarray(at));
  }
  encoder.close();
  decoder.close();

  return { level: levelAt(heard.subarray(9600), frequency, 48_000), bitrate: octets * 8 };
}

describe('Opus as the far end wants it', () => {
  it('sends no more than it can play', () => {
    expect(heardOf(6000, '').level).toBeGreaterThan(74);
    expect(heardOf(6000, 'maxplaybackrate=8000').level).toBeLessThan(40);
    expect(heardOf(1000, 'maxplaybackrate=8000').level).toBeGreaterThan(74);
  });

  it('keeps to its bit rate', () => {
    expect(heardOf(1000, 'maxaveragebitrate=12000;cbr=1').bitrate).toBeLessThan(12_500);
    expect(heardOf(1000, 'cbr=1').bitrate).toBeGreaterThan(30_000);
  });

  it('says nothing while nobody talks when DTX is wanted, and else goes on', () => {
    for (const [text, least, most] of [
      ['usedtx=1', 0, 20],
      ['', 100, 100],
    ] as const) {
      const encoder = createEncoder(OPUS, 48_000, 20, text);
      const packet = new Uint8Array(1400);
      let sent = 0;
      for (let i = 0; i < 100; i++) if (encoder.encode(new Int16Array(960), packet) > 0) sent++;
      encoder.close();
      expect(sent).toBeGreaterThanOrEqual(least);
      expect(sent).toBeLessThanOrEqual(most);
    }
  });

  it('goes on for another encoder as if that had gone on, where the library allows it', () => {
    const [first, second] = [createOpusEncoder(48_000, 20), createOpusEncoder(48_000, 20)];
    const pcm = tone(700, 48_000, 96_000);
    const [expected, other] = [new Uint8Array(1400), new Uint8Array(1400)];
    for (let at = 0; at < 48_000; at += 960) first.encode(pcm.subarray(at), expected);
    expect(second.copyState(first)).toBe(opusBackend() === 'libopus');
    for (let at = 48_000; at < 96_000; at += 960) {
      const length = first.encode(pcm.subarray(at), expected);
      if (opusBackend() !== 'libopus') continue;
      expect(second.encode(pcm.subarray(at), other)).toBe(length);
      expect(other.subarray(0, length)).toEqual(expected.subarray(0, length));
    }
    const wasm = createOpusEncoder(48_000, 20, 'wasm');
    expect(wasm.copyState(first)).toBe(false);
    const narrow = createOpusEncoder(8000, 20);
    expect(narrow.copyState(first)).toBe(false);
    for (const encoder of [first, second, wasm, narrow]) encoder.close();
    expect(second.copyState(first)).toBe(false);
  });
});
