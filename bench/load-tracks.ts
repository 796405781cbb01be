/** The packets that the phones of a load send, ready made: what `rtp-load` plays. */
import { createCipheriv, createHmac } from 'node:crypto';
import { audioCodec, createEncoder, writeRtp } from '../media/index.ts';
import { makeClicks, makeRoomNoise, makeVoice } from './voice.ts';

export type LoadCodec = 'PCMU' | 'opus';
/** `silence`: digital; `noise`: a microphone in a quiet room. */
export type LoadSound = 'voice' | 'silence' | 'noise' | 'clicks';

export interface TrackKind {
  codec: LoadCodec;
  sound: LoadSound;
  /** Tells voices apart. */
  seed: number;
}

/** Seconds of sound, played round and round; the packets go on counting. */
const SOUND_SECONDS = 10;
const PACKETS_PER_SECOND = 50;
/** "The 3-byte frame that says silence": fullband, 20 ms. */
const OPUS_SILENCE = Uint8Array.of(0xf8, 0xff, 0xfe);
/** Phones send voices by Opus' speech codec, as libopus does at their bit rates. */
const PHONE_PARAMETERS = 'maxaveragebitrate=32000';
const SSRC = 0x1234_5678;
export const CLICK_EVERY_MS = 700;

/** Packets of `seconds`, each with its header: sequence numbers and timestamps never repeat. */
export function makeTrack(kind: TrackKind, seconds: number, key?: SrtpKey): Uint8Array[] {
  const codec = audioCodec(kind.codec);
  const payloads = makePayloads(kind);
  const srtp = key && new SrtpWriter(key);
  const out = new Uint8Array(1500);

  return Array.from({ length: seconds * PACKETS_PER_SECOND }, (_unused, index) => {
    const length = writeRtp(out, {
      marker: index === 0,
      payloadType: codec.payloadType,
      sequenceNumber: index & 0xffff,
      timestamp: (index * (codec.clockRate / PACKETS_PER_SECOND)) >>> 0,
      ssrc: SSRC,
      payload: payloads[index % payloads.length]!,
    });
    const packet = out.slice(0, length);

    return srtp === undefined ? packet : srtp.protect(packet, index);
  });
}

function makePayloads({ codec, sound, seed }: TrackKind): Uint8Array[] {
  const { sampleRate } = audioCodec(codec);
  if (sound === 'silence') {
    return [codec === 'opus' ? OPUS_SILENCE : new Uint8Array(160).fill(0xff)];
  }
  const signal =
    sound === 'voice'
      ? makeVoice(SOUND_SECONDS, sampleRate, seed)
      : sound === 'noise'
        ? makeRoomNoise(SOUND_SECONDS, sampleRate)
        : makeClicks((CLICK_EVERY_MS * 10) / 1000, CLICK_EVERY_MS);
  const encoder = createEncoder(audioCodec(codec), sampleRate, 20, PHONE_PARAMETERS);
  const payloads: Uint8Array[] = [];
  const out = new Uint8Array(1400);
  for (let at = 0; at + encoder.frameSamples <= signal.length; at += encoder.frameSamples) {
    payloads.push(
      out.slice(0, encoder.encode(signal.subarray(at, at + encoder.frameSamples), out)),
    );
  }
  encoder.close();

  return payloads;
}

/** The file that `rtp-load` reads. */
export function writeTracks(tracks: readonly Uint8Array[][]): Buffer {
  const parts: Buffer[] = [word(tracks.length, 4)];
  for (const track of tracks) {
    parts.push(word(track.length, 4));
    for (const packet of track) parts.push(word(packet.length, 2), Buffer.from(packet));
  }

  return Buffer.concat(parts);
}

function word(value: number, octets: number): Buffer {
  const buffer = Buffer.alloc(octets);
  buffer.writeUIntLE(value, 0, octets);

  return buffer;
}

/** Master key and salt, as `a=crypto` carries them. */
export interface SrtpKey {
  masterKey: Buffer;
  masterSalt: Buffer;
}

export const BENCH_KEY: SrtpKey = {
  masterKey: Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex'),
  masterSalt: Buffer.from('101112131415161718191a1b1c1d', 'hex'),
};

/** AES_CM_128_HMAC_SHA1_80 (RFC 3711), as a phone would write it: not the server's own code. */
class SrtpWriter {
  readonly #key: Buffer;
  readonly #salt: Buffer;
  readonly #authKey: Buffer;

  constructor(key: SrtpKey) {
    this.#key = derive(key, 0, 16);
    this.#authKey = derive(key, 1, 20);
    this.#salt = derive(key, 2, 14);
  }

  protect(packet: Uint8Array, index: number): Uint8Array {
    const iv = Buffer.alloc(16);
    this.#salt.copy(iv);
    const mask = Buffer.alloc(16);
    mask.writeUInt32BE(SSRC, 4);
    mask.writeUIntBE(index, 8, 6);
    for (let i = 0; i < 14; i++) iv[i]! ^= mask[i]!;
    const cipher = createCipheriv('aes-128-ctr', this.#key, iv);
    const body = Buffer.concat([packet.subarray(0, 12), cipher.update(packet.subarray(12))]);
    const rollover = Buffer.alloc(4);
    rollover.writeUInt32BE(Math.floor(index / 65_536));
    const tag = createHmac('sha1', this.#authKey).update(body).update(rollover).digest();

    return Buffer.concat([body, tag.subarray(0, 10)]);
  }
}

/** RFC 3711 4.3, key derivation rate 0. */
function derive({ masterKey, masterSalt }: SrtpKey, label: number, length: number): Buffer {
  const iv = Buffer.alloc(16);
  masterSalt.copy(iv);
  iv[7]! ^= label;

  return createCipheriv('aes-128-ctr', masterKey, iv).update(Buffer.alloc(length));
}
