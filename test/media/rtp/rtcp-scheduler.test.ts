import { describe, expect, it } from '@jest/globals';
import { RtcpScheduler } from '../../../media/rtp/index.ts';
import { rtcpInterval } from '../../../media/rtp/rtcp-scheduler.ts';
import { FakeClock } from '../../support/fake-clock.ts';

describe('RTCP interval (RFC 3550 6.2, 6.3.1)', () => {
  it('is 5 s, half of it for the first report', () => {
    expect(rtcpInterval(20_000, 128, false)).toBe(5000);
    expect(rtcpInterval(20_000, 128, true)).toBe(2500);
  });

  it('is longer when 5 % of the bandwidth ask for it', () => {
    expect(rtcpInterval(400, 200, false)).toBe(20_000);
  });

  it('is spread over 0.5 to 1.5 of it and compensated by e - 3/2', () => {
    for (const [random, first, next] of [
      [0, 2500 * 0.5, 5000 * 0.5],
      [1, 2500 * 1.5, 5000 * 1.5],
    ] as const) {
      const clock = new FakeClock();
      const sentAt: number[] = [];
      const scheduler = new RtcpScheduler({
        clock,
        random: () => random,
        send: () => {
          sentAt.push(clock.now());

          return 80;
        },
      });
      scheduler.start();
      scheduler.start();
      clock.advance(20_000);
      expect(sentAt[0]).toBeCloseTo(first / 1.21828, 1);
      expect(sentAt[1]! - sentAt[0]!).toBeCloseTo(next / 1.21828, 1);
      scheduler.received(80);
      scheduler.stop();
      expect(clock.pendingTimers).toBe(0);
    }
  });

  it('may be stopped from within the report', () => {
    const clock = new FakeClock();
    const scheduler = new RtcpScheduler({
      clock,
      send: () => {
        scheduler.stop();

        return 0;
      },
    });
    scheduler.start();
    clock.advance(60_000);
    expect(clock.pendingTimers).toBe(0);
  });
});
