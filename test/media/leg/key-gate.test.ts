import { describe, expect, it } from '@jest/globals';
import { createDecoder, createEncoder } from '../../../media/codec/index.ts';
import { audioCodec, COMFORT_NOISE, type AudioCodecName } from '../../../media/codecs.ts';
import { KeyGate } from '../../../media/leg/key-gate.ts';
import type { RtpPacketView } from '../../../media/rtp/index.ts';
import { join, keyTone, silence, sine } from '../../support/key-tones.ts';
import { toneLevel } from '../../support/tone-meter.ts';
import { rtpPacket } from '../rtp/packets.ts';

interface Passed {
  sequenceNumber: number;
  timestamp: number;
  payload: Uint8Array;
  at: number;
}

class Leg {
  readonly keys: string[] = [];
  readonly passed: Passed[] = [];
  readonly gate = new KeyGate({
    onDigit: (digit) => this.keys.push(digit),
    onAudio: ({ sequenceNumber, timestamp, ...packet }, _codec, now) => {
      const { data, payloadOffset, payloadLength } = packet;
      // As the jitter buffer does: kept, not copied.
      const payload = data.subarray(payloadOffset, payloadOffset + payloadLength);
      this.passed.push({ sequenceNumber, timestamp, payload, at: now });
    },
  });
  readonly #name: AudioCodecName;

  constructor(name: AudioCodecName) {
    this.#name = name;
  }

  /** Packets of `ms`, each at its time. */
  packets(pcm: Int16Array, ms: number): RtpPacketView[] {
    const codec = audioCodec(this.#name);
    const encoder = createEncoder(codec, 8000, ms);
    const size = 8 * ms;

    return Array.from({ length: Math.floor(pcm.length / size) }, (_, i) => {
      const payload = new Uint8Array(size);
      encoder.encode(pcm.subarray(i * size, (i + 1) * size), payload);

      return rtpPacket({
        payloadType: codec.payloadType,
        sequenceNumber: 65_530 + i,
        timestamp: i * size,
        payload,
      });
    });
  }

  push(packet: RtpPacketView, now: number): void {
    this.gate.push(packet, audioCodec(this.#name), now);
  }

  heard(): Int16Array {
    const decoder = createDecoder(audioCodec(this.#name), 8000);
    const out = new Int16Array(8000);
    const all = this.passed.flatMap(({ payload }) => [
      ...out.subarray(0, decoder.decode(payload, out)),
    ]);

    return Int16Array.from(all);
  }
}

describe('legacy-dtmf-inband: the gate before mix and browsers', () => {
  it.each([
    ['PCMU', 20],
    ['PCMA', 20],
    ['G722', 20],
    ['PCMU', 10],
    ['PCMA', 30],
  ] as const)('lets no tone of a key through: %s, %i ms', (name, ms) => {
    for (const shift of [0, 3, 7, 11, 15, 19]) {
      const leg = new Leg(name);
      const pcm = join([silence(200 + shift), keyTone({ key: '6', ms: 120 }), silence(300)]);
      for (const [i, packet] of leg.packets(pcm, ms).entries()) leg.push(packet, i * ms);
      leg.gate.flush(1000);

      expect(leg.keys).toEqual(['6']);
      // With G.722 what its filters ring on is below −40 dBFS.
      const limit = name === 'G722' ? 330 : 8;
      expect(Math.max(...leg.heard().map(Math.abs))).toBeLessThanOrEqual(limit);
    }
  });

  it('lets all else through as it came, 20 ms later, with its numbers', () => {
    const leg = new Leg('PCMU');
    const packets = leg.packets(join([sine(600, 400, -10)]), 20);
    for (const [i, packet] of packets.entries()) leg.push(packet, i * 20);

    expect(leg.passed).toHaveLength(packets.length - 1);
    expect(leg.passed.map(({ at, timestamp }) => at - timestamp / 8)).toEqual(
      leg.passed.map(() => 20),
    );
    leg.gate.check(19 * 20 + 59);
    expect(leg.passed).toHaveLength(packets.length - 1);
    leg.gate.check(19 * 20 + 60);
    expect(leg.passed.map(({ payload }) => payload)).toEqual(
      packets.map((packet) => Uint8Array.from(packet.payload())),
    );
    expect(leg.passed.map(({ sequenceNumber }) => sequenceNumber)).toEqual(
      packets.map(({ sequenceNumber }) => sequenceNumber),
    );
    const samples = leg.heard();
    expect(Math.abs(toneLevel({ samples, sampleRate: 8000 }, 600) + 13.1)).toBeLessThan(0.5);
  });

  it('cuts a packet of the tone that comes late, too', () => {
    const leg = new Leg('PCMU');
    const packets = leg.packets(join([keyTone({ key: '1', ms: 200 }), silence(100)]), 20);
    [packets[4], packets[5]] = [packets[5]!, packets[4]!];
    for (const [i, packet] of packets.entries()) leg.push(packet, i * 20);

    expect(leg.keys).toEqual(['1']);
    expect(Math.max(...leg.heard().map(Math.abs))).toBeLessThanOrEqual(8);
  });

  it('ends a key when the phone stops sending, goes on from another source, or describes noise', () => {
    const ends: ((leg: Leg) => void)[] = [
      ({ gate }) => {
        gate.check(1000);
      },
      ({ gate }) => {
        gate.reset();
      },
      ({ gate }) => {
        const payload = Uint8Array.of(60);
        gate.push(rtpPacket({ payloadType: 13, payload }), COMFORT_NOISE, 200);
      },
    ];
    for (const end of ends) {
      const leg = new Leg('PCMU');
      const packets = leg.packets(join([keyTone({ key: 'D', ms: 100 })]), 20);
      for (const [i, packet] of packets.entries()) leg.push(packet, i * 20);
      expect(leg.keys).toEqual([]);
      end(leg);
      expect(leg.keys).toEqual(['D']);
    }
  });
});
