import fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import { OctetStore, type Stored } from '../../../../signaling/sip/trace/octet-store.ts';

describe('OctetStore', () => {
  it('gives back what was put in, however much came and went between', () => {
    const steps = fc.array(
      fc.oneof(
        fc.uint8Array({ maxLength: 3_000 }).map((octets) => ({ octets })),
        fc.nat().map((remove) => ({ remove })),
      ),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(steps, (all) => {
        const store = new OctetStore();
        const kept: { stored: Stored; octets: Uint8Array }[] = [];
        for (const step of all) {
          if ('octets' in step) kept.push({ stored: store.put(step.octets), octets: step.octets });
          else if (kept.length > 0) {
            const [gone] = kept.splice(step.remove % kept.length, 1);
            store.remove(gone!.stored);
          }
        }
        for (const { stored, octets } of kept) {
          expect(store.get(stored).equals(Buffer.from(octets))).toBe(true);
        }
        for (const { stored } of kept) store.remove(stored);
        expect(store.byteCount).toBe(0);
      }),
    );
  });

  it('takes no more memory for the thousandth message than for the first', () => {
    const store = new OctetStore();
    const taken = new Set<number>();
    for (let i = 0; i < 1_000; i++) {
      const stored = store.put(Buffer.alloc(700, i));
      for (const block of stored.blocks) taken.add(block);
      expect(store.byteCount).toBe(1_024);
      store.remove(stored);
    }
    expect(taken.size).toBe(2);
  });
});
