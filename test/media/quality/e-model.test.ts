import { describe, expect, it } from '@jest/globals';
import { callQuality } from '../../../media/quality/index.ts';
import {
  effectiveEquipmentImpairment,
  ratingToMos,
  transmissionRating,
} from '../../../media/quality/e-model.ts';

describe('the E-model (ITU-T G.107)', () => {
  it('rates a call with every default of table 2 at 93.2', () => {
    expect(transmissionRating()).toBeCloseTo(93.2, 1);
  });

  it.each([
    [93.2, 4.41],
    [90, 4.34],
    [80, 4.02],
    [70, 3.6],
    [60, 3.1],
    [50, 2.58],
    [0, 1],
    [-10, 1],
    [100, 4.5],
    [120, 4.5],
  ])('says of a rating of %d what annex B says: %d', (rating, mos) => {
    expect(ratingToMos(rating)).toBeCloseTo(mos, 1);
  });

  it('has the impairments of G.113 appendix I: nothing without loss, half of what is left at Bpl', () => {
    expect(effectiveEquipmentImpairment(11, 19, 0, 1)).toBe(11);
    expect(effectiveEquipmentImpairment(0, 4.3, 4.3, 1)).toBeCloseTo(47.5, 9);
    expect(effectiveEquipmentImpairment(11, 19, 19, 1)).toBeCloseTo(53, 9);
    // Losses in bursts are worse.
    expect(effectiveEquipmentImpairment(0, 4.3, 2, 2)).toBeGreaterThan(
      effectiveEquipmentImpairment(0, 4.3, 2, 1),
    );
  });

  it('takes delay as the published curve does: little up to 150 ms, much from there', () => {
    const rating = (delay: number): number => transmissionRating({ delay });
    // Cole and Rosenbluth's fit of G.107: 0.024 d + 0.11 (d − 177.3) above 177.3 ms.
    for (const delay of [50, 100, 150, 200, 250, 300]) {
      const fit = 0.024 * delay + Math.max(0, 0.11 * (delay - 177.3));
      expect(Math.abs(93.2 - rating(delay) - fit)).toBeLessThan(2);
    }
    expect(rating(400)).toBeLessThan(rating(300) - 8);
  });

  it('reads a leg in its units: milliseconds and packets', () => {
    const stats = { packetsReceived: 950, packetsLost: 50, packetsSent: 1000, octetsReceived: 1 };
    const quality = callQuality({ ...stats, jitter: 3, roundTrip: 40, buffer: 20, codec: 'PCMU' });
    expect(quality).toMatchObject({ loss: 0.05, jitter: 3, roundTrip: 40, codec: 'PCMU' });
    // R = 93.2 − 95 × 5 / (5 + 25.1) − delay of 80 ms.
    expect(quality.mos).toBeCloseTo(ratingToMos(transmissionRating({ delay: 80 }) - 15.78), 2);
    const silent = callQuality({
      ...stats,
      packetsReceived: 0,
      packetsLost: 0,
      jitter: 0,
      codec: '',
    });
    expect(silent.mos).toBeUndefined();
    expect(silent.loss).toBe(0);
  });
});
