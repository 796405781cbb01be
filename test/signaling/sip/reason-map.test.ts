import { describe, expect, it } from '@jest/globals';
import { ERROR_CODES } from '../../../base/index.ts';
import { CLOSE_REASONS } from '../../../server/index.ts';
import { errorStatus, reasonHeader, rejectionStatus } from '../../../signaling/sip/reason-map.ts';

describe('why a call ended, in SIP', () => {
  it.each(CLOSE_REASONS)('%s has a final status and a Reason header of RFC 3326', (reason) => {
    expect(rejectionStatus(reason)).toBeGreaterThanOrEqual(400);
    expect(rejectionStatus(reason)).toBeLessThan(700);
    expect(reasonHeader(reason)).toMatch(/^Q\.850;cause=\d{1,3};text="[^"\\\r\n]+"$/);
  });

  it.each(ERROR_CODES)('%s has a final status', (code) => {
    expect(errorStatus(code)).toBeGreaterThanOrEqual(400);
    expect(errorStatus(code)).toBeLessThan(700);
  });

  it('a full room is busy here, not unavailable everywhere', () => {
    expect(rejectionStatus('room-full')).toBe(486);
    expect(errorStatus('ROOM_FULL')).toBe(486);
  });
});
