import { describe, expect, it } from '@jest/globals';
import { VoipReport } from '../../../media/leg/voip-report.ts';

const STATS = {
  packetsReceived: 900,
  octetsReceived: 0,
  packetsLost: 100,
  packetsSent: 0,
  jitter: 0,
  roundTrip: 80,
  codec: 'PCMU',
  buffer: 30,
};

describe('VoIP metrics of a leg (RFC 3611 4.7)', () => {
  it('say what was lost, late and delayed, and how that is rated', () => {
    const metrics = new VoipReport(0).of(7, STATS, 50, 20);
    expect(metrics).toMatchObject({ ssrc: 7, lossRate: 25, discardRate: 12, gmin: 16 });
    expect(metrics).toMatchObject({ roundTripDelay: 80, endSystemDelay: 70, bufferNominal: 30 });
    // R at 10 % random loss of G.711: 93.2 − 95 · 10 / (10 + 25.1), less what 110 ms cost.
    expect(metrics.rFactor).toBeGreaterThan(60);
    expect(metrics.rFactor).toBeLessThan(66);
    expect(metrics.mosLq).toBeGreaterThan(30);
    expect(metrics.mosLq).toBeLessThan(35);
    expect(metrics.signalLevel).toBe(127);
  });

  it('are one gap without loss, and isolated losses stay inside it (A.2)', () => {
    const report = new VoipReport(3);
    let lost = 3;
    for (let i = 1; i <= 400; i++) {
      if (i % 100 === 0) lost++;
      report.received(lost);
    }
    const { burstDensity, burstDuration, gapDensity, gapDuration } = report.of(7, STATS, 0, 20);
    expect([burstDensity, burstDuration]).toEqual([0, 0]);
    // The last one may yet become a burst: 3 of 403.
    expect(gapDensity).toBe(1);
    expect(gapDuration).toBeGreaterThan(7000);
  });

  it('tell a burst from the gaps around it', () => {
    const report = new VoipReport(0);
    let lost = 0;
    const come = (count: number): void => {
      for (let i = 0; i < count; i++) report.received(lost);
    };
    for (let burst = 0; burst < 3; burst++) {
      come(200);
      // Ten lost, each followed by one that came.
      for (let i = 0; i < 10; i++) {
        lost++;
        come(1);
      }
    }
    come(200);
    lost++;
    come(1);
    const { burstDensity, burstDuration, gapDuration } = report.of(7, STATS, 0, 20);
    expect(burstDensity).toBeGreaterThan(110);
    expect(burstDensity).toBeLessThan(150);
    expect(burstDuration).toBeGreaterThan(250);
    expect(burstDuration).toBeLessThan(450);
    expect(gapDuration).toBeGreaterThan(3500);
    expect(gapDuration).toBeLessThan(6000);
  });
});
