/** Which phone sends what and when, and what its clicks tell. */
import { CLICK_EVERY_MS, type LoadCodec, type TrackKind } from './load-tracks.ts';
import type { MixCase } from './mix-cases.ts';
import type { LoadLeg, LoadReport } from './rtp-load.ts';

export const FIRST_PORT = 20_000;
export const FRAME_US = 20_000;
/** A generator later than this did not get its core. */
const MAX_GENERATOR_LATE_MS = 5;

export interface CaseLeg {
  room: number;
  codec: LoadCodec;
  rtpPort: number;
  track: number;
  phaseUs: number;
}

export function legsOf(shape: MixCase): { kinds: TrackKind[]; legs: CaseLeg[] } {
  const kinds: TrackKind[] = [];
  const trackOf = (kind: TrackKind): number => {
    const found = kinds.findIndex(
      ({ codec, sound, seed }) =>
        codec === kind.codec && sound === kind.sound && seed === kind.seed,
    );

    return found >= 0 ? found : kinds.push(kind) - 1;
  };
  const count = shape.rooms * shape.legsPerRoom;
  const legs = Array.from({ length: count }, (_unused, index) => {
    const seat = index % shape.legsPerRoom;
    const codec = shape.codecs[seat % shape.codecs.length]!;
    const kind: TrackKind =
      seat < shape.talkersPerRoom
        ? { codec, sound: 'voice', seed: seat + 1 }
        : { codec, sound: shape.quiet, seed: 0 };

    return {
      room: Math.floor(index / shape.legsPerRoom),
      codec,
      rtpPort: FIRST_PORT + 2 * index,
      track: trackOf(kind),
      // Evenly over the frame, neighbours far apart.
      phaseUs: Math.floor((FRAME_US * ((index * 7919) % count)) / count),
    };
  });

  return { kinds, legs };
}

/** Why the figures of a run are not to be believed; empty: they are. */
export function disturbance(load: LoadReport, cpu: number, stolen: number): string {
  const reasons: string[] = [];
  if (stolen > 0.03) reasons.push(`${(stolen * 100).toFixed(0)} % of a core stolen`);
  if (load.lateMs.p99 > MAX_GENERATOR_LATE_MS) reasons.push('the generator was late');
  if (load.leastPerSecond < 49 && cpu < 0.85) reasons.push('the server did not get its core');

  return reasons.length === 0 ? '' : `, DISTURBED: ${reasons.join(', ')}`;
}

export function plainLegs(
  count: number,
  firstPort: number,
  remote: (index: number) => number,
): LoadLeg[] {
  return Array.from({ length: count }, (_unused, index) => ({
    localPort: firstPort + 2 * index,
    remotePort: remote(index),
    track: 0,
    phaseUs: Math.floor((FRAME_US * index) / count),
    probe: false,
  }));
}

/** Milliseconds from each click that left to the one heard by the other of the room, sorted. */
export function delaysOf(clicks: LoadReport['clicks']): number[] {
  const delays: number[] = [];
  for (const [leg, out, at] of clicks) {
    if (out !== 1) continue;
    const heard = clicks.find(
      ([other, direction, time]) =>
        other === leg + 1 &&
        direction === 0 &&
        time >= at &&
        time < at + (CLICK_EVERY_MS - 50) * 1000,
    );
    if (heard !== undefined) delays.push((heard[2] - at) / 1000);
  }

  return delays.sort((left, right) => left - right);
}
