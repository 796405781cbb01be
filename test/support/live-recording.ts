import { setTimeout as delay } from 'node:timers/promises';
import { findSound } from './correlation.ts';
import { readWav, slice, toneLevel, type Signal } from './tone-meter.ts';
import { waitUntil } from './wait-until.ts';
import type { Sound } from '../../media/index.ts';

/** What is said at the end of a recording that grows says how the call is now: no clock has to be trusted. */
export interface Phone {
  readonly name: string;
  /** The file that it writes what it hears to. */
  recording(): string;
}

/** How much a phone has heard in this call. */
export function heardSeconds(phone: Phone): number {
  return secondsOf(readWav(phone.recording()));
}

/** What a phone heard last. */
export function lastHeard(phone: Phone, seconds: number): Signal {
  const whole = readWav(phone.recording());

  return slice(whole, Math.max(0, secondsOf(whole) - seconds));
}

/** What is looked at at once, so that a short break is not lost in a mean. */
const PIECE_SECONDS = 0.5;

/** Waits until a phone has heard a tone for so many seconds without a break, at the level that `isRight` takes. */
export async function untilTone(
  phone: Phone,
  frequency: number,
  isRight: (level: number) => boolean,
  seconds = 2,
): Promise<void> {
  await waitUntil(`${phone.name} and the tone of ${frequency} Hz`, () => {
    const last = lastHeard(phone, seconds);
    if (secondsOf(last) < seconds) return 'too early to say';
    const levels = Array.from({ length: seconds / PIECE_SECONDS }, (_, i) =>
      toneLevel(slice(last, PIECE_SECONDS * i, PIECE_SECONDS * (i + 1)), frequency),
    );

    return levels.every(isRight)
      ? undefined
      : `at ${levels.map((level) => level.toFixed(1)).join(', ')} dBFS`;
  });
}

/** Waits until a phone has heard a sound since its recording was so long; `score` as `findSound` gives it. */
export async function untilSound(
  phone: Phone,
  sound: Sound,
  { since, score }: { since: number; score: number },
): Promise<void> {
  await waitUntil(`${phone.name} and the sound`, async () => {
    const match = findSound(sound, slice(readWav(phone.recording()), since));
    if (match.score > score) return undefined;
    // The search takes as much time as the mixer could use.
    await delay(300);

    return `no more like it than ${match.score.toFixed(2)}`;
  });
}

function secondsOf({ samples, sampleRate }: Signal): number {
  return samples.length / sampleRate;
}
