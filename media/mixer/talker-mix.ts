import { AudioMixer } from './audio-mixer.ts';
import type { MixerInput } from './mixer-input.ts';
import { keepLoudest } from './talker-selection.ts';

/** Who is in a room's mix, frame after frame: the loudest of those that are to be heard. */
export class TalkerMix {
  #mixer: AudioMixer;
  readonly #talkers: MixerInput[] = [];
  readonly #lastTalkers: MixerInput[] = [];

  constructor(rate: number) {
    this.#mixer = new AudioMixer(rate / 50);
  }

  /** The sum of this frame, for those who get their own part of it. */
  get mixer(): AudioMixer {
    return this.#mixer;
  }

  begin(): void {
    this.#talkers.length = 0;
  }

  /** An input that is audible and allowed to be heard; its `tick` was called. */
  offer(input: MixerInput): void {
    this.#talkers.push(input);
  }

  /** Everyone's mix, good until the next; undefined: silence. `tone`: what all are to hear with it. */
  mix(tone?: Int16Array): Int16Array | undefined {
    keepLoudest(this.#talkers);
    const mixer = this.#mixer;
    mixer.begin();
    for (const input of this.#talkers) mixer.add(input.frame());
    if (tone !== undefined) mixer.add(tone);
    for (const input of this.#lastTalkers) {
      if (this.#talkers.includes(input)) continue;
      // Its last 20 ms fade out; in the next frame it is no longer in the mix.
      if (input.talking) mixer.add(input.frame(true));
      else input.mixed = false;
    }
    this.#rememberTalkers();

    return mixer.finish();
  }

  /** An input that will never be offered again. */
  forget(input: MixerInput): void {
    const index = this.#lastTalkers.indexOf(input);
    if (index >= 0) this.#lastTalkers.splice(index, 1);
  }

  /** Goes on as another one did whose last frame had those of `inputs` in it that say so. */
  thaw(mixer: ReturnType<AudioMixer['freeze']>, inputs: Iterable<MixerInput>): void {
    this.#mixer.thaw(mixer);
    for (const input of inputs) if (input.mixed) this.#lastTalkers.push(input);
  }

  setRate(rate: number): void {
    this.#mixer = new AudioMixer(rate / 50);
  }

  #rememberTalkers(): void {
    const last = this.#lastTalkers;
    let kept = 0;
    for (const input of last) {
      if (input.mixed && !this.#talkers.includes(input)) last[kept++] = input;
    }
    last.length = kept;
    for (const input of this.#talkers) last.push(input);
  }
}
