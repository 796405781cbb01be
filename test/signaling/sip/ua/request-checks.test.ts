import { describe, expect, it } from '@jest/globals';
import { checkRequest } from '../../../../signaling/sip/ua/request-checks.ts';
import { anInvite, aRequest } from '../../../support/message-builder.ts';

describe('RFC 4475 3.3.15: Accept of an INVITE', () => {
  it.each([
    ['text/nobodyKnowsThis', 406],
    ['application/sdpx', 406],
    ['', undefined],
    ['application/sdp', undefined],
    ['text/plain, application/SDP;q=0.5', undefined],
    ['application/*', undefined],
    ['*/*', undefined],
  ])('%j: %s', (accept, status) => {
    expect(checkRequest(anInvite({ headers: [['Accept', accept]] }))?.status).toBe(status);
  });

  it('is of no account in other methods', () => {
    const request = aRequest('OPTIONS', { headers: [['Accept', 'text/plain']] });
    expect(checkRequest(request)).toBeUndefined();
  });
});
