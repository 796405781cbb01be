import { describe, expect, it } from '@jest/globals';
import { Dialog, nextHop, uriTarget } from '../../../../signaling/sip/dialog/index.ts';
import {
  buildRequest,
  buildResponse,
  requireUri,
  type SipRequest,
} from '../../../../signaling/sip/message/index.ts';
import type { RemoteFlow } from '../../../../signaling/sip/transport/index.ts';

const FLOW: RemoteFlow = {
  protocol: 'UDP',
  remote: { address: '192.0.2.7', port: 5070 },
  local: { address: '192.0.2.1', port: 5060 },
  connectionId: undefined,
};

function invite(contact: string, headers: [string, string][] = []): SipRequest {
  const request = buildRequest({
    method: 'INVITE',
    uri: 'sip:1234@192.0.2.1',
    from: '<sip:alice@example.com>;tag=a',
    to: '<sip:1234@192.0.2.1>',
    callId: 'c',
    cseq: 7,
    contact,
    headers,
  });
  request.headers.prepend('Via', 'SIP/2.0/UDP 192.0.2.7:5070;branch=z9hG4bKx');

  return request;
}

function routes(request: SipRequest): string[] {
  return request.routes.map(({ uri }) => uri.text);
}

describe('requests in a dialog that they began (RFC 3261 12.2.1.1)', () => {
  it('3261-12.2.1.1-a go to the remote target when there is no route', () => {
    const dialog = Dialog.fromRequest(invite('<sip:alice@192.0.2.7:5080>'), 'b', FLOW);
    const bye = dialog.createRequest('BYE');
    expect(bye.uri.text).toBe('sip:alice@192.0.2.7:5080');
    expect(routes(bye)).toEqual([]);
    expect([bye.fromTag, bye.toTag, bye.callId]).toEqual(['b', 'a', 'c']);
  });

  it('3261-12.2.1.1-a keep the remote target in the Request-URI when the first route is loose', () => {
    const headers: [string, string][] = [
      ['Record-Route', '<sip:p1.example.com;lr>,<sip:p2.example.com>'],
    ];
    const dialog = Dialog.fromRequest(invite('<sip:alice@192.0.2.7>', headers), 'b', FLOW);
    const bye = dialog.createRequest('BYE');
    expect(bye.uri.text).toBe('sip:alice@192.0.2.7');
    expect(routes(bye)).toEqual(['sip:p1.example.com;lr', 'sip:p2.example.com']);
  });

  it('3261-12.2.1.1-a move the remote target to the end when the first route is strict', () => {
    const headers: [string, string][] = [
      ['Record-Route', '<sip:p1.example.com>,<sip:p2.example.com;lr>'],
    ];
    const dialog = Dialog.fromRequest(invite('<sip:alice@192.0.2.7>', headers), 'b', FLOW);
    const bye = dialog.createRequest('BYE');
    expect(bye.uri.text).toBe('sip:p1.example.com');
    expect(routes(bye)).toEqual(['sip:p2.example.com;lr', 'sip:alice@192.0.2.7']);
  });

  it('3261-12.2.1.1-a raise CSeq by one each, the ACK keeps the number of its INVITE', () => {
    const dialog = Dialog.fromRequest(invite('<sip:alice@192.0.2.7>'), 'b', FLOW);
    const [first, second] = [dialog.createRequest('INVITE'), dialog.createRequest('BYE')];
    expect(second.cseq.sequence).toBe(first.cseq.sequence + 1);
    expect(dialog.createAck(first.cseq.sequence).cseq).toEqual({
      sequence: first.cseq.sequence,
      method: 'ACK',
    });
  });
});

describe('requests in a dialog that we began', () => {
  it('3261-12.1.2 take Record-Route in reverse order', () => {
    const request = invite('<sip:us@192.0.2.1>');
    request.headers.set('Record-Route', '<sip:p1.example.com;lr>,<sip:p2.example.com;lr>');
    const response = buildResponse(request, 200, { toTag: 'b', contact: '<sip:bob@192.0.2.9>' });
    const dialog = Dialog.fromResponse(request, response);
    const bye = dialog.createRequest('BYE');
    expect(routes(bye)).toEqual(['sip:p2.example.com;lr', 'sip:p1.example.com;lr']);
    expect(bye.uri.text).toBe('sip:bob@192.0.2.9');
    expect([bye.fromTag, bye.toTag]).toEqual(['a', 'b']);
    expect(bye.cseq.sequence).toBe(8);
  });
});

describe('sequence numbers of the far end', () => {
  it('3261-12.2.2-a lower ones are refused, gaps are not', () => {
    const dialog = Dialog.fromRequest(invite('<sip:alice@192.0.2.7>'), 'b', FLOW);
    const at = (cseq: number): SipRequest =>
      buildRequest({
        method: 'OPTIONS',
        uri: 'sip:x',
        from: '<sip:a@b>;tag=a',
        to: '<sip:c@d>;tag=b',
        callId: 'c',
        cseq,
      });
    expect([6, 9, 8, 9].map((cseq) => dialog.acceptSequence(at(cseq)))).toEqual([
      false,
      true,
      false,
      true,
    ]);
  });
});

describe('the next hop', () => {
  it('is the Contact of a direct peer, port included', () => {
    const dialog = Dialog.fromRequest(invite('<sip:alice@192.0.2.7:5090>'), 'b', FLOW);
    expect(nextHop(dialog)).toEqual({ protocol: 'UDP', address: '192.0.2.7', port: 5090 });
  });

  it('is where a direct peer sends from when its Contact names another host', () => {
    const dialog = Dialog.fromRequest(invite('<sip:alice@10.1.1.1:5060>'), 'b', FLOW);
    expect(nextHop(dialog)).toMatchObject({ address: '192.0.2.7', port: 5070 });
  });

  it('is the first route behind a proxy', () => {
    const headers: [string, string][] = [
      ['Record-Route', '<sip:192.0.2.50:5066;transport=tcp;lr>'],
    ];
    const dialog = Dialog.fromRequest(invite('<sip:alice@10.1.1.1>', headers), 'b', FLOW);
    expect(nextHop(dialog)).toEqual({ protocol: 'TCP', address: '192.0.2.50', port: 5066 });
  });

  it('is the connection that a stream peer called on', () => {
    const flow: RemoteFlow = { ...FLOW, protocol: 'TCP', connectionId: 'c1' };
    const dialog = Dialog.fromRequest(invite('<sip:alice@192.0.2.7:5090>'), 'b', flow);
    expect(nextHop(dialog)).toMatchObject({ connectionId: 'c1', port: 5070 });
  });

  it.each([
    ['sip:a@192.0.2.7', { protocol: 'UDP', port: 5060 }],
    ['sips:a@192.0.2.7', { protocol: 'TLS', port: 5061 }],
    ['sip:a@[2001:db8::1]:5080;transport=tcp', { address: '2001:db8::1', port: 5080 }],
    ['sip:a@name.example;maddr=192.0.2.8', { address: '192.0.2.8' }],
  ])('of %s needs no look-up', (uri, target) => {
    expect(uriTarget(requireUri(uri))).toMatchObject(target);
  });

  it('of a host name is left to the layer below', () => {
    expect(uriTarget(requireUri('sip:a@name.example'))).toBeUndefined();
  });
});
