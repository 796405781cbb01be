import { createHmac } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { HmacSha1 } from '../../../media/srtp/hmac-sha1.ts';
import { deriveStreamKeys, type StreamKeys } from '../../../media/srtp/key-derivation.ts';
import { Keystream } from '../../../media/srtp/keystream.ts';
import { SrtpReceiver } from '../../../media/srtp/srtp-receiver.ts';
import { SrtpSender } from '../../../media/srtp/srtp-sender.ts';
import { findSrtpSuite, type SrtpKey } from '../../../media/srtp/suites.ts';
import { DERIVATION, GCM, hex, KEYSTREAM, toHex } from './vectors.ts';

const NOTHING = new Uint8Array(0);
const ROOM = 64;

/** A packet with room for what the suite adds. */
function roomy(packet: Uint8Array): Uint8Array {
  const data = new Uint8Array(packet.length + ROOM);
  data.set(packet);

  return data;
}

function gcmKeys(cipherKey: Uint8Array): [SrtpKey, StreamKeys] {
  const name = cipherKey.length === 32 ? 'AEAD_AES_256_GCM' : 'AEAD_AES_128_GCM';
  const session = { cipherKey, salt: GCM.salt, authKey: NOTHING };
  const keys = { suite: findSrtpSuite(name)!, rtp: session, rtcp: session };

  return [{ suite: name, keyAndSalt: NOTHING }, keys];
}

describe('SRTP against published test vectors', () => {
  it('derives the session keys of RFC 3711 B.3', () => {
    const keyAndSalt = Uint8Array.of(...DERIVATION.key, ...DERIVATION.salt);
    const { rtp } = deriveStreamKeys({ suite: 'AES_CM_128_HMAC_SHA1_80', keyAndSalt });
    expect(toHex(rtp.cipherKey)).toBe(DERIVATION.cipherKey);
    expect(toHex(rtp.salt)).toBe(DERIVATION.cipherSalt);
    expect(toHex(rtp.authKey)).toBe(DERIVATION.authKey);
  });

  it('makes the keystream of RFC 3711 B.2, also of packets that it made ahead', () => {
    const stream = new Keystream(KEYSTREAM.key, KEYSTREAM.salt);
    const data = new Uint8Array(48);
    stream.apply(data, 0, data.length, 0, 0);
    expect(toHex(data)).toBe(KEYSTREAM.octets);
    for (const index of [1, 2, 9, 3, 0x1_0000_0005, 0x1_0000_0006]) {
      const alone = new Uint8Array(100);
      new Keystream(KEYSTREAM.key, KEYSTREAM.salt).apply(alone, 0, 100, 7, index);
      const ahead = new Uint8Array(100);
      stream.apply(ahead, 0, 100, 7, index);
      expect(toHex(ahead)).toBe(toHex(alone));
    }
  });

  it('seals and opens the packet that libsrtp publishes for AES_CM_128_HMAC_SHA1_80', () => {
    const keyAndSalt = Uint8Array.of(...DERIVATION.key, ...DERIVATION.salt);
    const key: SrtpKey = { suite: 'AES_CM_128_HMAC_SHA1_80', keyAndSalt };
    const plain = hex('800f1234decafbadcafebabe' + 'ab'.repeat(16));
    const data = roomy(plain);
    const length = new SrtpSender(key).sealRtp(data, plain.length);
    expect(toHex(data.subarray(0, length))).toBe(
      '800f1234decafbadcafebabe4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb',
    );
    const opened = new SrtpReceiver(key).openRtp(data.subarray(0, length));
    expect(toHex(data.subarray(0, opened))).toBe(toHex(plain));
  });

  it.each([
    ['128', GCM.key128, GCM.rtp128],
    ['256', GCM.key256, GCM.rtp256],
  ])('seals and opens RTP with AEAD_AES_%s_GCM as RFC 7714 16 does', (_bits, key, expected) => {
    const data = roomy(GCM.rtp);
    const [name, keys] = gcmKeys(key);
    const length = new SrtpSender(name, 0, keys).sealRtp(data, GCM.rtp.length);
    expect(toHex(data.subarray(0, length))).toBe(expected);
    const opened = new SrtpReceiver(name, keys).openRtp(data.subarray(0, length));
    expect(toHex(data.subarray(0, opened))).toBe(toHex(GCM.rtp));
  });

  it.each([
    ['128', GCM.key128, GCM.rtcp128],
    ['256', GCM.key256, GCM.rtcp256],
  ])('seals and opens RTCP with AEAD_AES_%s_GCM as RFC 7714 17 does', (_bits, key, expected) => {
    const data = roomy(GCM.rtcp);
    const [name, keys] = gcmKeys(key);
    const length = new SrtpSender(name, GCM.rtcpIndex, keys).sealRtcp(data, GCM.rtcp.length);
    expect(toHex(data.subarray(0, length))).toBe(expected);
    const opened = new SrtpReceiver(name, keys).openRtcp(data.subarray(0, length));
    expect(toHex(data.subarray(0, opened))).toBe(toHex(GCM.rtcp));
  });

  it('opens RTCP that is authenticated alone, as RFC 7714 17.3 has it', () => {
    const data = hex(GCM.rtcp128Clear);
    const opened = new SrtpReceiver(...gcmKeys(GCM.key128)).openRtcp(data);
    expect(toHex(data.subarray(0, opened))).toBe(toHex(GCM.rtcp));
  });

  it('computes HMAC-SHA1 as OpenSSL does, for every length around the ends of blocks', () => {
    const key = hex(DERIVATION.authKey);
    const hmac = new HmacSha1(key);
    for (let length = 0; length < 300; length++) {
      const data = Uint8Array.from({ length }, (_, i) => i * 7);
      const trailer = length * 0x01020304;
      const octets = Buffer.alloc(4);
      octets.writeUInt32BE(trailer >>> 0);
      const expected = createHmac('sha1', key).update(data).update(octets).digest('hex');
      expect(toHex(hmac.digest(data, length, trailer))).toBe(expected);
    }
  });
});
