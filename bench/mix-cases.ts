/** The shapes of load that the mix is measured with. */
import type { LoadCodec, LoadSound } from './load-tracks.ts';

export interface MixCase {
  name: string;
  /** Cases of one family are compared with each other. */
  family: string;
  rooms: number;
  /** The codecs of a room's phones, in turn. */
  codecs: readonly LoadCodec[];
  legsPerRoom: number;
  talkersPerRoom: number;
  quiet: LoadSound;
  srtp: boolean;
}

function shape(
  family: string,
  codecs: readonly LoadCodec[],
  [rooms, legsPerRoom, talkersPerRoom]: [number, number, number],
  more: Partial<MixCase> = {},
): MixCase {
  const codec = codecs.length > 1 ? 'mixed' : codecs[0]!;
  const security = more.srtp === true ? ' SRTP' : '';
  const noise = more.quiet === 'noise' ? ', quiet ones send noise' : '';

  return {
    name: `${codec}${security} ${rooms} x ${legsPerRoom}, ${talkersPerRoom} talk${noise}`,
    family,
    rooms,
    codecs,
    legsPerRoom,
    talkersPerRoom,
    quiet: 'silence',
    srtp: false,
    ...more,
  };
}

/** What the server is measured with. */
export const SERVER_CASES: readonly MixCase[] = [
  shape('PCMU, one room', ['PCMU'], [1, 500, 3]),
  shape('PCMU, rooms of five', ['PCMU'], [60, 5, 2]),
  shape('Opus, one room', ['opus'], [1, 500, 3]),
  shape('Opus, rooms of five', ['opus'], [20, 5, 2]),
  shape('Opus and PCMU in one room', ['opus', 'PCMU'], [1, 100, 3]),
];

/** Measured too when there is time. */
export const MORE_SERVER_CASES: readonly MixCase[] = [
  shape('PCMU, rooms of five', ['PCMU'], [20, 5, 2]),
  shape('Opus, one room', ['opus'], [1, 500, 3], { quiet: 'noise' }),
  shape('PCMU, one room, SRTP', ['PCMU'], [1, 500, 3], { srtp: true }),
  shape('PCMU, rooms of five, SRTP', ['PCMU'], [60, 5, 2], { srtp: true }),
  shape('Opus, one room, SRTP', ['opus'], [1, 500, 3], { srtp: true }),
  shape('Opus, rooms of five, SRTP', ['opus'], [20, 5, 2], { srtp: true }),
];

/** The largest of each shape that the peer carries on a core with a margin, so that it is seen at its best. */
export const JANUS_CASES: readonly MixCase[] = [
  shape('PCMU, one room', ['PCMU'], [1, 300, 3]),
  shape('PCMU, rooms of five', ['PCMU'], [50, 5, 2]),
  shape('Opus, one room', ['opus'], [1, 60, 3]),
  shape('Opus, rooms of five', ['opus'], [12, 5, 2]),
];

/** The same shape with so many legs. */
export function resized(from: MixCase, legs: number): MixCase {
  const size: [number, number, number] =
    from.rooms === 1
      ? [1, legs, from.talkersPerRoom]
      : [Math.floor(legs / from.legsPerRoom), from.legsPerRoom, from.talkersPerRoom];

  return shape(from.family, from.codecs, size, { quiet: from.quiet, srtp: from.srtp });
}
