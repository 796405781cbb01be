import { rmsLevel, slice, type Signal } from './tone-meter.ts';

export interface Burst {
  /** Seconds from the start of the signal. */
  at: number;
  /** dBov of its loudest window. */
  level: number;
}

const WINDOW = 0.02;
/** Windows this close together belong to one burst. */
const JOIN = 0.15;

/** The sounds of a signal that is silent between them: where it rises above `threshold` dBov. */
export function findBursts(signal: Signal, threshold = -45): Burst[] {
  const bursts: Burst[] = [];
  const seconds = signal.samples.length / signal.sampleRate;
  let lastLoud = -1;
  for (let at = 0; at + WINDOW <= seconds; at += WINDOW) {
    const level = rmsLevel(slice(signal, at, at + WINDOW));
    if (level < threshold) continue;
    const current = bursts.at(-1);
    if (current !== undefined && at - lastLoud < JOIN) {
      current.level = Math.max(current.level, level);
    } else {
      bursts.push({ at, level });
    }
    lastLoud = at;
  }

  return bursts;
}
