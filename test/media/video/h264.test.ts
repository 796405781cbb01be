import { describe, expect, it } from '@jest/globals';
import { beginsIdr, ParameterSets, wholeUnits } from '../../../media/video/h264.ts';
import { LONGEST_UNIT, SingleNalPackets } from '../../../media/video/single-nal.ts';
import { fragments, idr, PPS, slice, SPS, stapA } from './h264-packets.ts';

describe('an H.264 key frame begins (RFC 6184 5.4, 5.7.1, 5.8)', () => {
  const CASES: [what: string, payload: Uint8Array, begins: boolean][] = [
    ['a single IDR slice', idr(1), true],
    ['the second slice of an IDR picture', Uint8Array.of(0x65, 0x40, 1), false],
    ['any other slice', slice(1), false],
    ['parameter sets without a picture', stapA(SPS, PPS), false],
    ['parameter sets and IDR in one packet', stapA(SPS, PPS, idr(1)), true],
    ['the first fragment of an IDR slice', fragments(idr(1), 50)[0]!, true],
    ['a later fragment', fragments(idr(1), 50)[1]!, false],
    ['the first fragment of another slice', fragments(slice(1), 50)[0]!, false],
    ['nothing', new Uint8Array(0), false],
    ['an aggregate that is cut off', stapA(SPS, idr(1)).subarray(0, 9), false],
  ];

  for (const [what, payload, begins] of CASES) {
    it(`${begins ? 'with' : 'not with'} ${what}`, () => {
      expect(beginsIdr(payload)).toBe(begins);
    });
  }

  it('takes aggregates apart', () => {
    expect(wholeUnits(stapA(SPS, PPS, idr(3)))).toEqual([SPS, PPS, idr(3)]);
  });
});

describe('parameter sets', () => {
  it('are kept from single units and from aggregates, with the picture that brought them', () => {
    const sets = new ParameterSets();
    sets.note(SPS, 10);
    expect(sets.known).toBe(false);
    sets.note(PPS, 10);
    expect(sets.units()).toEqual([SPS, PPS]);
    expect(sets.cameWith(10)).toBe(true);
    sets.note(slice(1), 20);
    expect(sets.cameWith(20)).toBe(false);
    const other = Uint8Array.of(0x67, 9, 9, 9);
    sets.note(stapA(other, PPS), 30);
    expect(sets.units()).toEqual([other, PPS]);
  });
});

describe('packetization-mode 0: "only single NAL unit packets MAY be used" (RFC 6184 6.2)', () => {
  const push = (single: SingleNalPackets, payload: Uint8Array, lost = false, timestamp = 1) =>
    single.push(payload, timestamp, lost).map((unit) => unit.slice());

  it('aggregates are taken apart, single units go as they are', () => {
    const single = new SingleNalPackets();
    expect(push(single, stapA(SPS, PPS, idr(1)))).toEqual([SPS, PPS, idr(1)]);
    expect(push(single, slice(1))).toEqual([slice(1)]);
  });

  it('fragments are joined', () => {
    const single = new SingleNalPackets();
    const parts = fragments(idr(5, 3000), 1000);
    expect(parts.length).toBe(3);
    expect(parts.flatMap((part) => push(single, part))).toEqual([idr(5, 3000)]);
  });

  it('a unit of which a fragment is missing is left out', () => {
    const single = new SingleNalPackets();
    const [first, , third] = fragments(idr(5, 3000), 1000);
    expect(push(single, first!)).toEqual([]);
    expect(push(single, third!, true)).toEqual([]);
    expect(push(single, third!)).toEqual([]);
    const next = fragments(slice(6, 1500), 1000);
    expect(next.flatMap((part) => push(single, part, false, 2))).toEqual([slice(6, 1500)]);
  });

  it('a unit that no packet can hold is left out and counted', () => {
    const single = new SingleNalPackets();
    const parts = fragments(idr(5, LONGEST_UNIT + 1), 1000);
    expect(parts.flatMap((part) => push(single, part))).toEqual([]);
    expect(single.tooLong).toBe(1);
    expect(
      fragments(idr(5, LONGEST_UNIT), 1000).flatMap((part) => push(single, part)),
    ).toHaveLength(1);
  });
});
