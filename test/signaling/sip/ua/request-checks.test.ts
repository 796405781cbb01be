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

describe('3261-8.2.3-a a body of several parts', () => {
  const part = (type: string, disposition?: string): string =>
    [
      '--b',
      `Content-Type: ${type}`,
      ...(disposition === undefined ? [] : [`Content-Disposition: ${disposition}`]),
      '',
      'x',
      '',
    ].join('\r\n');
  const SDP = part('application/sdp');
  const LOCATION = part('application/pidf+xml', 'by-reference');

  it.each([
    ['SDP alone', SDP, undefined],
    ['SDP and a location', SDP + LOCATION, undefined],
    [
      'optional ISUP, then SDP',
      part('application/isup', 'signal;handling=optional') + SDP,
      undefined,
    ],
    [
      'ISUP that must be understood',
      part('application/isup', 'signal;handling=required') + SDP,
      415,
    ],
    ['a location alone', LOCATION, 415],
    ['what is optional alone', part('text/plain', 'render; handling="optional"'), undefined],
    ['nothing', '', 415],
  ])('%s: %s', (_name, content, status) => {
    const body = { type: 'multipart/mixed;boundary=b', content: `${content}--b--\r\n` };
    expect(checkRequest(anInvite({ body }))?.status).toBe(status);
  });

  it('that cannot be read is 400', () => {
    const body = { type: 'multipart/mixed;boundary=b', content: SDP };
    expect(checkRequest(anInvite({ body }))?.status).toBe(400);
  });
});
