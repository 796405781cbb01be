/** Upper bounds in seconds; a frame must be done in 0.020. */
export const FRAME_BUCKETS = [0.0005, 0.001, 0.002, 0.004, 0.006, 0.01, 0.015, 0.02, 0.04, 0.1];

export interface HistogramValue {
  /** Cumulative: how many took up to `le` seconds. */
  buckets: { le: number; count: number }[];
  sum: number;
  count: number;
}

/** How long frames took. */
export class FrameHistogram {
  readonly #counts = new Array<number>(FRAME_BUCKETS.length).fill(0);
  #sum = 0;
  #count = 0;

  observe(seconds: number): void {
    this.#sum += seconds;
    this.#count++;
    for (let i = 0; i < FRAME_BUCKETS.length; i++) {
      if (seconds <= FRAME_BUCKETS[i]!) this.#counts[i]!++;
    }
  }

  value(): HistogramValue {
    const buckets = FRAME_BUCKETS.map((le, i) => ({ le, count: this.#counts[i]! }));

    return { buckets, sum: this.#sum, count: this.#count };
  }
}

export function emptyHistogram(): HistogramValue {
  return { buckets: FRAME_BUCKETS.map((le) => ({ le, count: 0 })), sum: 0, count: 0 };
}

export function addHistogram(into: HistogramValue, value: HistogramValue): void {
  into.buckets.forEach((bucket, i) => (bucket.count += value.buckets[i]?.count ?? 0));
  into.sum += value.sum;
  into.count += value.count;
}
