import { describe, expect, it } from '@jest/globals';
import { createMetrics } from '../../server/metrics.ts';

describe('metrics', () => {
  it('let no text from the network become a label', async () => {
    const { sip, text } = createMetrics();
    sip.requestIn('INVITE');
    sip.requestIn('invite"} 1\n');
    sip.requestIn('X1');
    sip.responseOut(200);
    sip.responseOut(99);
    sip.responseOut(Number.NaN);
    sip.malformed('UDP');
    sip.malformed('pigeon');
    for (let i = 0; i < 100; i++) sip.reinvite(`reason-${i}`, 'ok');
    const lines = (await text()).split('\n');

    expect(lines.filter((line) => line.startsWith('parley_sip_requests_total{'))).toEqual([
      'parley_sip_requests_total{method="INVITE",direction="in"} 1',
      'parley_sip_requests_total{method="OTHER",direction="in"} 2',
    ]);
    expect(lines.filter((line) => line.startsWith('parley_sip_responses_total{'))).toEqual([
      'parley_sip_responses_total{code="200",direction="out"} 1',
    ]);
    expect(lines).toContain('parley_sip_malformed_total{transport="udp"} 1');
    expect(lines).toContain('parley_sip_malformed_total{transport="other"} 1');
    expect(lines.filter((line) => line.startsWith('parley_reinvites_total{'))).toHaveLength(33);
  });
});
