import { describe, expect, it } from '@jest/globals';
import { ERROR_CODES } from '../../../base/index.ts';
import { buildRequest, requireUri } from '../../../signaling/sip/message/index.ts';
import { CLOSE_REASONS } from '../../../server/index.ts';
import {
  closeReasonOf,
  errorStatus,
  reasonHeader,
  rejectionStatus,
} from '../../../signaling/sip/reason-map.ts';

function messageOf({ method, headers }: { method: string; headers: [string, string][] }) {
  return buildRequest({
    method,
    uri: requireUri('sip:1000@10.0.0.1'),
    from: '<sip:a@example.com>;tag=a',
    to: '<sip:1000@10.0.0.1>;tag=b',
    callId: 'c',
    cseq: 2,
    headers,
  });
}

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

  it.each([
    ['Q.850;cause=16;text="Normal call clearing"', 'left'],
    ['Q.850;cause=41', 'disconnected'],
    ['SIP ;cause=408 ;text="RTP timeout"', 'disconnected'],
    ['SIP;cause=200;text="Call completed elsewhere"', 'left'],
    ['X;cause=41', 'left'],
    ['Q.850;text="cause=41"', 'left'],
    ['constructor;cause=41', 'left'],
  ])('3326-2-a a BYE with Reason: %s means %s', (value, reason) => {
    const message = messageOf({ method: 'BYE', headers: [['Reason', value]] });
    expect(closeReasonOf({ by: 'remote', cause: 'bye', message })).toBe(reason);
  });
});
