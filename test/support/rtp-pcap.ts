/** Captures as SIPp's `play_pcap_audio` plays them: it sends the packets with the file's spacing, SSRC and payload type. */
import { writeFileSync } from 'node:fs';
import { createEncoder } from '../../media/codec/index.ts';
import { audioCodec } from '../../media/index.ts';
import { writeRtp } from '../../media/rtp/index.ts';
import { ToneSource } from './tone-source.ts';

const PACKET_MS = 20;
const PACKET_SAMPLES = 160;
const EVENT_PACKETS = 5;
const END_PACKETS = 3;
const EVENT_VOLUME = 10;
const KEYS = '0123456789*#ABCD';

interface Timed {
  readonly at: number;
  readonly rtp: Uint8Array;
}

export interface TonePcapOptions {
  readonly codec: 'PCMU' | 'PCMA';
  readonly hertz: number;
  readonly seconds: number;
  readonly ssrc: number;
}

export function writeTonePcap(file: string, options: TonePcapOptions): void {
  const { codec, hertz, seconds, ssrc } = options;
  const { sampleRate } = audioCodec(codec);
  writeAudioPcap(file, codec, new ToneSource(hertz, sampleRate).next(sampleRate * seconds), ssrc);
}

/** Any audio at 8 kHz, in packets of 20 ms. */
export function writeAudioPcap(
  file: string,
  name: TonePcapOptions['codec'],
  pcm: Int16Array,
  ssrc: number,
): void {
  const codec = audioCodec(name);
  const encoder = createEncoder(codec, codec.sampleRate, PACKET_MS);
  const packets = Array.from({ length: Math.floor(pcm.length / PACKET_SAMPLES) }, (_, i) => {
    const payload = new Uint8Array(PACKET_SAMPLES);
    encoder.encode(pcm.subarray(i * PACKET_SAMPLES, (i + 1) * PACKET_SAMPLES), payload);
    const rtp = packet({
      marker: i === 0,
      payloadType: codec.payloadType,
      sequenceNumber: i + 1,
      timestamp: (i + 1) * PACKET_SAMPLES,
      ssrc,
      payload,
    });

    return { at: i * PACKET_MS, rtp };
  });
  encoder.close();
  writePcap(file, packets);
}

/** Payloads of 20 ms as somebody else encoded them. */
export function writePayloadsPcap(
  file: string,
  payloads: readonly Uint8Array[],
  stream: { payloadType: number; clockRate: number; ssrc: number },
): void {
  const { payloadType, clockRate, ssrc } = stream;
  const packets = payloads.map((payload, i) => ({
    at: i * PACKET_MS,
    rtp: packet({
      marker: i === 0,
      payloadType,
      sequenceNumber: i + 1,
      timestamp: (i * clockRate * PACKET_MS) / 1000,
      ssrc,
      payload,
    }),
  }));
  writePcap(file, packets);
}

/** RFC 4733 events of 100 ms, each with its end sent three times (2.5.1.4). */
export function writeKeysPcap(file: string, keys: string, payloadType: number, ssrc: number): void {
  const packets: Timed[] = [];
  let at = 0;
  for (const [index, key] of [...keys].entries()) {
    for (let i = 0; i < EVENT_PACKETS + END_PACKETS; i++) {
      const isEnd = i >= EVENT_PACKETS;
      const payload = Buffer.from([KEYS.indexOf(key), (isEnd ? 0x80 : 0) | EVENT_VOLUME, 0, 0]);
      payload.writeUInt16BE(Math.min(i + 1, EVENT_PACKETS) * PACKET_SAMPLES, 2);
      const rtp = packet({
        marker: i === 0,
        payloadType,
        sequenceNumber: packets.length + 1,
        timestamp: PACKET_SAMPLES * (1 + 15 * index),
        ssrc,
        payload,
      });
      packets.push({ at, rtp });
      at += isEnd ? 1 : PACKET_MS;
    }
    at += 200;
  }
  writePcap(file, packets);
}

function packet(fields: Parameters<typeof writeRtp>[1]): Uint8Array {
  const out = new Uint8Array(1500);

  return out.slice(0, writeRtp(out, fields));
}

/** Addresses and ports are the player's business. */
function writePcap(file: string, packets: readonly Timed[]): void {
  const header = Buffer.alloc(24);
  header.writeUInt32LE(0xa1b2c3d4, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(65_535, 16);
  header.writeUInt32LE(1, 20);
  const records = packets.flatMap(({ at, rtp }) => {
    const frame = Buffer.concat([frameHeader(rtp.length), rtp]);
    const record = Buffer.alloc(16);
    record.writeUInt32LE(Math.floor(at / 1000), 0);
    record.writeUInt32LE((at % 1000) * 1000, 4);
    record.writeUInt32LE(frame.length, 8);
    record.writeUInt32LE(frame.length, 12);

    return [record, frame];
  });
  writeFileSync(file, Buffer.concat([header, ...records]));
}

/** Ethernet, IPv4 and UDP. */
function frameHeader(payload: number): Buffer {
  const header = Buffer.alloc(14 + 20 + 8);
  header.writeUInt16BE(0x0800, 12);
  const ip = header.subarray(14);
  ip.writeUInt16BE(0x4500, 0);
  ip.writeUInt16BE(28 + payload, 2);
  ip.writeUInt16BE(0x4011, 8);
  ip.writeUInt32BE(0x7f000001, 12);
  ip.writeUInt32BE(0x7f000001, 16);
  const udp = header.subarray(34);
  udp.writeUInt16BE(4000, 0);
  udp.writeUInt16BE(4000, 2);
  udp.writeUInt16BE(8 + payload, 4);

  return header;
}
