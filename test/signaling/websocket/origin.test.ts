import { describe, expect, it } from '@jest/globals';
import { isAllowedOrigin } from '../../../signaling/websocket/gateway.ts';

describe('isAllowedOrigin', () => {
  it.each([
    ['http://parley.example', 'parley.example', true],
    ['https://parley.example', 'parley.example:443', true],
    ['http://parley.example:3000', 'parley.example:3000', true],
    ['http://parley.example:3001', 'parley.example:3000', false],
    ['http://parley.example.evil.example', 'parley.example', false],
    ['null', 'parley.example', false],
    ['https://other.example', 'parley.example', true],
  ])('takes a page of %s at %s: %s', (origin, host, allowed) => {
    const request = { headers: { origin, host } };

    expect(isAllowedOrigin(request, ['https://other.example'])).toBe(allowed);
  });

  it('takes programs that are no browsers', () => {
    expect(isAllowedOrigin({ headers: { host: 'parley.example' } }, [])).toBe(true);
  });
});
