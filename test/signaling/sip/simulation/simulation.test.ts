import { describe, expect, it } from '@jest/globals';
import { simulate, type NetworkOptions } from './simulation.ts';

/** `SEED=17 npx jest simulation` plays that one; `SEEDS=5000` that many. */
const ONLY = process.env['SEED'];
const COUNT = Number(process.env['SEEDS'] ?? 1_000);

const GOOD = { loss: 0, duplication: 0, latency: [5, 5] } as const;
const NETWORKS: readonly (readonly [string, NetworkOptions])[] = [
  ['a good network', GOOD],
  ['a network that reorders', { loss: 0, duplication: 0.05, latency: [5, 300] }],
  ['a network that loses a fifth', { loss: 0.2, duplication: 0.05, latency: [5, 300] }],
  ['a network that fails for seconds', { ...GOOD, outage: 'short' }],
  ['a network that is gone when somebody hangs up', { ...GOOD, outage: 'final' }],
];

describe('calls on a simulated network', () => {
  it.each(NETWORKS)(
    'end alike on both sides of %s, with no dialog, transaction or timer left',
    async (name, network) => {
      const seeds =
        ONLY === undefined ? Array.from({ length: COUNT }, (_, seed) => seed) : [Number(ONLY)];
      const seen = new Map<string, number>();
      let established = 0;
      for (const seed of seeds) {
        const { faults, trace, labels, wasEstablished } = await simulate(seed, network);
        if (faults.length > 0) {
          throw new Error(`SEED=${String(seed)} on ${name}: ${faults.join('; ')}\n${trace}`);
        }
        for (const label of labels) seen.set(label, (seen.get(label) ?? 0) + 1);
        if (wasEstablished) established += 1;
      }
      if (ONLY !== undefined) return;
      // Or else it tests nothing.
      expect(established).toBeGreaterThan(seeds.length / 2);
      const wanted = ['200 UPDATE', '491 INVITE', '491 UPDATE', '200 PRACK', '487 INVITE'];
      expect(wanted.filter((label) => !seen.has(label))).toEqual([]);
    },
    120_000,
  );
});
