import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  peerProfile,
  planSlots,
  type Slot,
  type Wanted,
} from '../../../../signaling/sip/negotiation/index.ts';

const LIMITS = { audio: 4, video: 3 };
const OWN: Slot[] = [
  { mid: '0', kind: 'audio', usable: true },
  { mid: '1', kind: 'video', usable: true },
];

const video = (id: string): Wanted => ({ id, kind: 'video' });
const audio = (id: string): Wanted => ({ id, kind: 'audio' });

function plan(slots: readonly Slot[], wanted: readonly Wanted[], more = {}): Slot[] {
  return planSlots(slots, wanted, { limits: LIMITS, fits: () => true, mayAdd: true, ...more });
}

const carried = (slots: readonly Slot[]): string[] =>
  slots.flatMap(({ mid, stream }) => (stream === undefined ? [] : [`${mid}=${stream}`]));

describe('streams and m-lines', () => {
  it("fill the peer's own m-lines first, then new ones", () => {
    expect(carried(plan(OWN, [audio('ann'), audio('bob'), video('cat')]))).toEqual([
      '0=ann',
      '1=cat',
      'a2=bob',
    ]);
  });

  it('3264-8-a: m-lines never go away, a new stream takes that of one who left', () => {
    const three = plan(OWN, [video('a'), video('b'), video('c')]);
    const one = plan(three, [video('c')]);
    expect(one).toHaveLength(three.length);
    expect(carried(one)).toEqual(['v3=c']);
    const again = plan(one, [video('c'), video('d')]);
    expect(again).toHaveLength(three.length);
    expect(carried(again)).toEqual(['1=d', 'v3=c']);
  });

  it('keep their place while others come and go', () => {
    const before = plan(OWN, [video('a'), video('b')]);
    expect(carried(plan(before, [video('z'), video('b'), video('a')]))).toEqual([
      '1=a',
      'v2=b',
      'v3=z',
    ]);
  });

  it('are as many as the limit, by importance', () => {
    const full = plan(OWN, ['a', 'b', 'c', 'd'].map(video));
    expect(carried(full)).toEqual(['1=a', 'v2=b', 'v3=c']);
    expect(carried(plan(full, ['d', 'a', 'b', 'c'].map(video)))).toEqual(['1=a', 'v2=b', 'v3=d']);
  });

  it('do not use what the peer refused, nor ask for more in its place', () => {
    const refused: Slot[] = [...OWN, { mid: 'v2', kind: 'video', usable: false }];
    expect(carried(plan(refused, ['a', 'b', 'c', 'd'].map(video)))).toEqual(['1=a', 'v3=b']);
  });

  it('leave an m-line empty that cannot carry them', () => {
    const fits = ({ mid }: Slot): boolean => mid !== '1';
    expect(carried(plan(OWN, [video('a')], { fits }))).toEqual(['v2=a']);
  });

  it("stay within the peer's own m-lines where no others may be added", () => {
    expect(carried(plan(OWN, [video('a'), video('b')], { mayAdd: false }))).toEqual(['1=a']);
  });

  it('settle: planned again nothing changes, and no mid or stream is there twice', () => {
    const wanted = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f').map(video), {
      selector: ({ id }) => id,
    });
    fc.assert(
      fc.property(fc.array(wanted, { maxLength: 8 }), (rounds) => {
        let slots: Slot[] = OWN;
        for (const round of rounds) {
          const next = plan(slots, round);
          expect(plan(next, round)).toEqual(next);
          expect(next.slice(0, slots.length).map(({ mid }) => mid)).toEqual(
            slots.map(({ mid }) => mid),
          );
          const streams = next.flatMap(({ stream }) => stream ?? []);
          expect(new Set(streams).size).toBe(streams.length);
          expect(new Set(next.map(({ mid }) => mid)).size).toBe(next.length);
          expect(streams.sort()).toEqual(
            round
              .slice(0, LIMITS.video)
              .map(({ id }) => id)
              .sort(),
          );
          expect(next.length).toBeLessThanOrEqual(1 + LIMITS.video);
          slots = next;
        }
      }),
    );
  });
});

describe('what a peer can do', () => {
  it.each([
    ['JsSIP in a browser', 'JsSIP 3.13.8', true, true, true],
    ['SIP.js in a browser', 'SIP.js/0.21.2', true, true, true],
    ['a plain phone', 'Yealink SIP-T46S', false, false, false],
    ['baresip with ICE and DTLS', 'baresip v1.0.0 (x86_64/linux)', true, true, false],
    ['linphone', 'Linphonec/5.1.65', true, true, false],
    ['no User-Agent, but bundles', undefined, true, true, true],
    ['one m-line of a gateway', 'FreeSWITCH', false, true, false],
  ])('%s', (_name, userAgent, bundles, names, several) => {
    expect(peerProfile({ userAgent, bundles, names })).toEqual({
      severalAudios: several,
      takesNewStreams: several,
    });
  });
});
