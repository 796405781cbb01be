/** One figure. */
export interface BenchRow {
  bench: string;
  what: string;
  value: number;
  unit: string;
}
