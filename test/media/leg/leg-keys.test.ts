import { describe, expect, it } from '@jest/globals';
import { audioCodec, findTelephoneEvent, type AudioCodec } from '../../../media/codecs.ts';
import { LegKeys } from '../../../media/leg/leg-keys.ts';
import type { PhoneAudio } from '../../../media/media-api.ts';
import { rtpPacket } from '../rtp/packets.ts';

const NARROW = findTelephoneEvent(8000)!;
const WIDE = findTelephoneEvent(48_000)!;

function agreed(...events: readonly (readonly [number, AudioCodec])[]): PhoneAudio {
  return {
    codec: audioCodec('opus'),
    sendPayloadType: 111,
    receivePayloadTypes: new Map([[111, audioCodec('opus')], [0, audioCodec('PCMU')], ...events]),
    remoteAddress: '192.0.2.1',
    remoteRtpPort: 4000,
    remoteRtcpPort: 4001,
    rtcpMux: false,
    ptime: 20,
    direction: 'sendrecv',
  };
}

class Leg {
  readonly heard: [string, number][] = [];
  readonly keys = new LegKeys({
    onDigit: (digit, durationMs) => this.heard.push([digit, durationMs]),
    onAudio: () => undefined,
  });

  /** A key that is up after 100 ms of the clock of `codec`. */
  press(key: number, codec: AudioCodec, timestamp: number): void {
    const duration = codec.clockRate / 10;
    const payload = Uint8Array.of(key, 0x80 | 10, duration >> 8, duration & 0xff);
    const packet = rtpPacket({ payloadType: codec.payloadType, timestamp, payload });
    this.keys.event(packet, codec, timestamp);
  }
}

describe('4733-2.4.1-a keys of a phone are as long as the clock of their payload type says', () => {
  it.each([
    [
      'both, the wider first',
      [
        [110, WIDE],
        [101, NARROW],
      ] as const,
    ],
    [
      'both, the narrower first',
      [
        [101, NARROW],
        [110, WIDE],
      ] as const,
    ],
  ])('where it may send %s', (_what, events) => {
    const leg = new Leg();
    leg.keys.configure(agreed(...events), 0);
    leg.press(1, NARROW, 1000);
    leg.press(2, WIDE, 50_000);
    leg.press(3, NARROW, 4000);
    expect(leg.heard).toEqual([
      ['1', 100],
      ['2', 100],
      ['3', 100],
    ]);
  });

  it('where it lists 8000 Hz alone beside Opus', () => {
    const leg = new Leg();
    leg.keys.configure(agreed([101, NARROW]), 0);
    leg.press(5, NARROW, 1000);
    expect(leg.heard).toEqual([['5', 100]]);
  });

  it('and those it did not agree on are none', () => {
    const leg = new Leg();
    leg.keys.configure(agreed([101, NARROW], [110, WIDE]), 0);
    leg.keys.configure(agreed([101, NARROW]), 0);
    leg.press(5, WIDE, 1000);
    expect(leg.heard).toEqual([]);
  });

  it('and a key that is down through a new offer/answer is one key', () => {
    const leg = new Leg();
    leg.keys.configure(agreed([101, NARROW]), 0);
    const packet = (duration: number, end: boolean) =>
      rtpPacket({
        payloadType: 101,
        timestamp: 1000,
        payload: Uint8Array.of(7, end ? 0x8a : 0x0a, duration >> 8, duration & 0xff),
      });
    leg.keys.event(packet(400, false), NARROW, 0);
    leg.keys.configure(agreed([101, NARROW], [110, WIDE]), 20);
    leg.keys.event(packet(800, true), NARROW, 50);
    expect(leg.heard).toEqual([['7', 100]]);
  });

  it('4733-2.5.1.4-a and one whose end is lost ends by itself, whatever its clock', () => {
    const leg = new Leg();
    leg.keys.configure(agreed([110, WIDE], [101, NARROW]), 0);
    const payload = Uint8Array.of(9, 10, 0x03, 0x20);
    leg.keys.event(rtpPacket({ payloadType: 101, timestamp: 1000, payload }), NARROW, 0);
    leg.keys.check(100);
    expect(leg.heard).toEqual([]);
    leg.keys.check(1000);
    expect(leg.heard).toEqual([['9', 100]]);
  });
});
