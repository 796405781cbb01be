/** Low-pass filters by a windowed sinc (Kaiser's window). */

/**
 * `cutoff`: the −6 dB point as a share of the sample rate; `beta`: of the window, 7 is 72 dB of stop
 * band. The gain at 0 Hz is one.
 */
export function designLowPass(length: number, cutoff: number, beta: number): Float64Array {
  const filter = new Float64Array(length);
  const centre = (length - 1) / 2;
  let sum = 0;
  for (let i = 0; i < length; i++) {
    const x = (i - centre) * 2 * cutoff;
    const sinc = x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
    const position = (i - centre) / (centre + 0.5);
    filter[i] = sinc * bessel(beta * Math.sqrt(1 - position * position));
    sum += filter[i]!;
  }
  for (let i = 0; i < length; i++) filter[i]! /= sum;

  return filter;
}

/** Modified Bessel function of the first kind, order 0. */
function bessel(x: number): number {
  let sum = 1;
  let term = 1;
  for (let k = 1; term > 1e-12 * sum; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }

  return sum;
}
