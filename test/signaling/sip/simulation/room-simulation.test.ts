import { describe, expect, it } from '@jest/globals';
import { simulateRoom } from './room-simulation.ts';
import type { NetworkOptions } from './simulation.ts';

/** `SEED=17 npx jest room-simulation` plays that one; `SEEDS=5000` that many. */
const ONLY = process.env['SEED'];
const COUNT = Number(process.env['SEEDS'] ?? 40);

const NETWORKS: readonly (readonly [string, NetworkOptions])[] = [
  ['a good network', { loss: 0, duplication: 0, latency: [5, 5] }],
  [
    'a network that loses a fifth and reorders',
    { loss: 0.2, duplication: 0.05, latency: [5, 300] },
  ],
];

describe('rooms of WebRTC phones on a simulated network', () => {
  it.each(NETWORKS)(
    'on %s: at rest every phone has just what the room has for it',
    async (name, network) => {
      const seeds =
        ONLY === undefined ? Array.from({ length: COUNT }, (_, seed) => seed) : [Number(ONLY)];
      const seen = new Map<string, number>();
      let phones = 0;
      for (const seed of seeds) {
        const { faults, outcomes, phonesAtRest } = await simulateRoom(seed, network);
        if (faults.length > 0) {
          throw new Error(`SEED=${String(seed)} on ${name}: ${faults.join('; ')}`);
        }
        for (const [key, count] of outcomes) seen.set(key, (seen.get(key) ?? 0) + count);
        phones += phonesAtRest;
      }
      if (ONLY !== undefined) return;
      // Or else it tests nothing.
      expect(phones).toBeGreaterThan(seeds.length);
      const wanted = ['streams accepted', 'streams refused', 'remote accepted'];
      expect(wanted.filter((each) => !seen.has(each))).toEqual([]);
      expect(seen.get('streams failed')).toBeUndefined();
    },
    60_000,
  );
});
