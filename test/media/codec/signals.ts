/** Test signals and how to measure them. */

export function tone(
  frequency: number,
  sampleRate: number,
  samples: number,
  amplitude = 10_000,
): Int16Array {
  const pcm = new Int16Array(samples);
  for (let i = 0; i < samples; i++) {
    pcm[i] = Math.round(amplitude * Math.sin((2 * Math.PI * frequency * i) / sampleRate));
  }

  return pcm;
}

/** dB of what is in `pcm` at `frequency`, against a sine of amplitude 1 (Goertzel with a Hann window). */
export function levelAt(pcm: Int16Array, frequency: number, sampleRate: number): number {
  let real = 0;
  let imaginary = 0;
  for (let i = 0; i < pcm.length; i++) {
    const window = 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / pcm.length);
    const angle = (2 * Math.PI * frequency * i) / sampleRate;
    real += pcm[i]! * window * Math.cos(angle);
    imaginary += pcm[i]! * window * Math.sin(angle);
  }

  return 20 * Math.log10((4 * Math.hypot(real, imaginary)) / pcm.length + 1e-9);
}

/** dB of all of `pcm`, as levelAt of a sine of the same power. */
export function level(pcm: Int16Array): number {
  let energy = 0;
  for (const sample of pcm) energy += sample * sample;

  return 10 * Math.log10((2 * energy) / pcm.length + 1e-9);
}

/** Signal to noise, dB, at the delay between 0 and `maxDelay` where it is best. */
export function bestSnr(reference: Int16Array, heard: Int16Array, maxDelay: number): number {
  let best = -Infinity;
  for (let delay = 0; delay <= maxDelay; delay++) {
    let signal = 0;
    let noise = 0;
    for (let i = 0; i + delay < heard.length && i < reference.length; i++) {
      signal += reference[i]! ** 2;
      noise += (heard[i + delay]! - reference[i]!) ** 2;
    }
    best = Math.max(best, 10 * Math.log10(signal / (noise + 1e-9)));
  }

  return best;
}
