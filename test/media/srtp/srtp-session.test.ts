import { describe, expect, it } from '@jest/globals';
import { REPLAY_WINDOW, ReplayWindow } from '../../../media/srtp/replay-window.ts';
import { guessIndex } from '../../../media/srtp/srtp-receiver.ts';
import {
  SRTP_SUITES,
  SrtpSession,
  type SrtpKey,
  type SrtpSuite,
} from '../../../media/srtp/index.ts';

const PAYLOAD = 160;

function keyOf(suite: SrtpSuite, seed: number): SrtpKey {
  const length = suite.keyLength + suite.saltLength;

  return { suite: suite.name, keyAndSalt: Uint8Array.from({ length }, (_, i) => i * 3 + seed) };
}

/** Two ends of one call. */
function pair(suite: SrtpSuite, mki?: Uint8Array): [SrtpSession, SrtpSession] {
  const ours = keyOf(suite, 1);
  const theirs = keyOf(suite, 2);

  return [
    new SrtpSession({ send: ours, receive: theirs }),
    new SrtpSession({ send: theirs, receive: { ...ours, ...(mki && { mki }) } }),
  ];
}

function rtp(sequence: number, ssrc = 0x1234): Uint8Array {
  const data = new Uint8Array(12 + PAYLOAD + 32);
  data.set([0x80, 0, sequence >> 8, sequence & 0xff, 0, 0, 0, 0]);
  new DataView(data.buffer).setUint32(8, ssrc);
  data.fill(0x55, 12, 12 + PAYLOAD);

  return data;
}

function seal(session: SrtpSession, sequence: number, ssrc?: number): Uint8Array {
  const data = rtp(sequence, ssrc);

  return data.slice(0, session.sealRtp(data, 12 + PAYLOAD));
}

function report(ssrc = 0x1234): Uint8Array {
  const data = new Uint8Array(8 + 64);
  data.set([0x80, 201, 0, 1]);
  new DataView(data.buffer).setUint32(4, ssrc);

  return data;
}

const [counterMode] = SRTP_SUITES.filter(({ name }) => name === 'AES_CM_128_HMAC_SHA1_80');

describe.each(SRTP_SUITES.map((suite) => [suite.name, suite] as const))(
  'SRTP by %s',
  (_n, suite) => {
    it('hides the payload, adds its tag and gives it back', () => {
      const [a, b] = pair(suite);
      const sealed = seal(a, 100);
      expect(sealed.length).toBe(12 + PAYLOAD + suite.rtpTagLength);
      expect(sealed.subarray(12, 28).every((octet) => octet === 0x55)).toBe(false);
      expect(b.openRtp(sealed)).toBe(12 + PAYLOAD);
      expect(sealed.subarray(12, 12 + PAYLOAD).every((octet) => octet === 0x55)).toBe(true);
    });

    it('drops what was changed anywhere, and what came before', () => {
      const [a, b] = pair(suite);
      const sealed = seal(a, 100);
      for (const at of [1, 3, 9, 12, 90, sealed.length - 1]) {
        const changed = sealed.slice();
        changed[at]! ^= 1;
        expect(b.openRtp(changed)).toBe(-1);
      }
      expect(b.openRtp(sealed.slice())).toBeGreaterThan(0);
      expect(b.openRtp(sealed.slice())).toBe(-1);
    });

    it('counts a rollover of the sequence number on both ends, also out of order', () => {
      const [a, b] = pair(suite);
      const sealed = [65_533, 65_534, 65_535, 0, 1, 2].map((sequence) => seal(a, sequence));
      for (const at of [0, 1, 3, 2, 5, 4]) expect(b.openRtp(sealed[at]!)).toBe(12 + PAYLOAD);
    });

    it('protects reports with an index of their own', () => {
      const [a, b] = pair(suite);
      for (let i = 0; i < 3; i++) {
        const data = report();
        const sealed = data.slice(0, a.sealRtcp(data, 8));
        expect(sealed.length).toBe(8 + 4 + suite.rtcpTagLength);
        const again = sealed.slice();
        expect(b.openRtcp(sealed)).toBe(8);
        expect(b.openRtcp(again)).toBe(-1);
      }
      const forged = report();
      const changed = forged.slice(0, a.sealRtcp(forged, 8));
      changed[changed.length - 1]! ^= 1;
      expect(b.openRtcp(changed)).toBe(-1);
    });

    it('does not read what is shorter than its own tag', () => {
      const [, b] = pair(suite);
      for (let length = 0; length < 40; length++) {
        expect(b.openRtp(new Uint8Array(length).fill(0x80))).toBe(-1);
        expect(b.openRtcp(new Uint8Array(length).fill(0x80))).toBe(-1);
      }
    });

    it('finds the packet around a master key identifier', () => {
      const mki = Uint8Array.of(0, 7);
      const [a, b] = pair(suite, mki);
      const sealed = seal(a, 5);
      const tag = suite.kind === 'gcm' ? 0 : suite.rtpTagLength;
      const end = sealed.length - tag;
      const packet = Uint8Array.of(...sealed.subarray(0, end), ...mki, ...sealed.subarray(end));
      expect(b.openRtp(packet.slice())).toBe(12 + PAYLOAD);
      packet[end] = 1;
      expect(b.openRtp(packet)).toBe(-1);
    });
  },
);

describe('keys that change in a call', () => {
  it('goes on with the same key, and begins anew with another', () => {
    const [a, b] = pair(counterMode!);
    for (const sequence of [65_535, 0]) expect(b.openRtp(seal(a, sequence))).toBeGreaterThan(0);
    const same = { send: keyOf(counterMode!, 1), receive: keyOf(counterMode!, 2) };
    a.rekey(same);
    expect(b.openRtp(seal(a, 1))).toBeGreaterThan(0);

    const next = keyOf(counterMode!, 9);
    a.rekey({ ...same, send: next });
    expect(b.openRtp(seal(a, 2))).toBe(-1);
    b.rekey({ send: keyOf(counterMode!, 2), receive: next });
    expect(b.openRtp(seal(a, 3))).toBeGreaterThan(0);
  });

  it('lets a phone begin a stream with another SSRC, and remembers a bounded number of them', () => {
    const [a, b] = pair(counterMode!);
    for (let ssrc = 1; ssrc < 100; ssrc++) {
      expect(b.openRtp(seal(a, 7 + ssrc, ssrc))).toBeGreaterThan(0);
    }
  });

  it('refuses a key that has not the length of its suite (4568-6.1-a)', () => {
    const short = { suite: 'AES_CM_128_HMAC_SHA1_80', keyAndSalt: new Uint8Array(29) } as const;
    expect(() => new SrtpSession({ send: short, receive: short })).toThrow(TypeError);
  });
});

describe('the index of a packet (RFC 3711 3.3.1 and appendix A)', () => {
  it.each([
    [5, -1, 5],
    [0, 65_535, 65_536],
    [65_535, 65_536, 65_535],
    [40_000, 3, -25_536],
    [10, 3 * 65_536 + 60_000, 4 * 65_536 + 10],
    [60_000, 4 * 65_536 + 10, 3 * 65_536 + 60_000],
    [20_000, 4 * 65_536 + 10, 4 * 65_536 + 20_000],
  ])('takes sequence number %i after %i for %i', (sequence, highest, index) => {
    expect(guessIndex(sequence, highest)).toBe(index);
  });
});

describe('the replay list (RFC 3711 3.3.2)', () => {
  it('takes each index once, in any order, within its window', () => {
    const window = new ReplayWindow();
    const seen = new Set<number>();
    let state = 42;
    for (let i = 0; i < 20_000; i++) {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
      const index = 0x1_0000_0000 - 3000 + Math.floor(i / 3) + (state % 200);
      const expected = !seen.has(index) && index > window.highest - REPLAY_WINDOW;
      expect(window.isNew(index)).toBe(expected);
      if (expected) {
        window.add(index);
        seen.add(index);
      }
    }
  });

  it('forgets what lies between after a jump', () => {
    const window = new ReplayWindow();
    window.add(1);
    window.add(1 + REPLAY_WINDOW);
    expect(window.isNew(1)).toBe(false);
    expect(window.isNew(2)).toBe(true);
    window.add(100_000);
    expect(window.isNew(99_999)).toBe(true);
  });
});
