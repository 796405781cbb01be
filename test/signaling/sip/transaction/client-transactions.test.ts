import { describe, expect, it } from '@jest/globals';
import type { TransportProtocol } from '../../../../signaling/sip/transport/index.ts';
import { anInvite, aRequest } from '../../../support/message-builder.ts';
import { Harness } from './harness.ts';

const BOTH: TransportProtocol[] = ['UDP', 'TCP'];

function invite(protocol: TransportProtocol): Harness {
  const harness = new Harness(protocol);
  harness.layer.request(anInvite({ routes: ['<sip:p1;lr>'] }), undefined, harness.clientUser);

  return harness;
}

function options(protocol: TransportProtocol): Harness {
  const harness = new Harness(protocol);
  harness.layer.request(aRequest('OPTIONS'), undefined, harness.clientUser);

  return harness;
}

function expectGone(harness: Harness): void {
  expect(harness.layer.counts().total).toBe(0);
  expect(harness.clock.pendingTimers).toBe(0);
}

describe('INVITE client transaction', () => {
  it('3261-17.1.1.2-a over UDP retransmits at T1, 2T1 …, without a cap, and times out after 64*T1', () => {
    const harness = invite('UDP');
    harness.clock.advance(31_999);
    expect(harness.timesOf('INVITE')).toEqual([0, 500, 1_500, 3_500, 7_500, 15_500, 31_500]);
    expect(harness.told).toEqual([]);
    harness.clock.advance(1);
    expect(harness.told).toEqual(['timeout', 'terminated']);
    expectGone(harness);
  });

  it.each([
    ['3261-17.1.1.2-a', 'TCP'],
    ['7118-5-a', 'WS'],
  ] as const)('%s over %s never retransmits, and times out all the same', (_id, protocol) => {
    const harness = invite(protocol);
    harness.clock.advance(32_000);
    expect(harness.timesOf('INVITE')).toEqual([0]);
    expect(harness.told).toEqual(['timeout', 'terminated']);
    expectGone(harness);
  });

  it.each(BOTH)('3261-17.1.1.2-a over %s a 1xx ends retransmission and Timer B', (protocol) => {
    const harness = invite(protocol);
    harness.answer('INVITE', 100);
    harness.answer('INVITE', 180);
    harness.clock.advance(180_000);
    expect(harness.timesOf('INVITE')).toEqual([0]);
    expect(harness.told).toEqual(['100', '180']);
    harness.layer.close();
    expectGone(harness);
  });

  it('3261-17.1.1.3-a ACK to 300-699: same branch, To of the response, Route; every repetition again', () => {
    const harness = invite('UDP');
    harness.answer('INVITE', 180);
    harness.answer('INVITE', 486);
    const sent = harness.sentRequest('INVITE');
    const ack = harness.sentRequest('ACK');
    expect(ack.headers.getAll('via')).toEqual([sent.headers.get('via')]);
    expect(ack.toTag).toBe('peer');
    expect(ack.uri).toEqual(sent.uri);
    expect(ack.headers.get('from')).toBe(sent.headers.get('from'));
    expect(ack.headers.get('route')).toBe('<sip:p1;lr>');
    expect(ack.cseq).toEqual({ sequence: 1, method: 'ACK' });
    harness.clock.advance(31_000);
    harness.answer('INVITE', 486);
    harness.answer('INVITE', 180);
    harness.answer('INVITE', 200);
    expect(harness.timesOf('ACK')).toEqual([0, 31_000]);
    expect(harness.told).toEqual(['180', '486']);
    harness.clock.advance(1_000);
    expect(harness.told).toEqual(['180', '486', 'terminated']);
    expectGone(harness);
  });

  it('3261-22.1-a the ACK to a refusal has the credentials of its INVITE, a CANCEL has not', () => {
    const harness = new Harness('UDP');
    const headers: [string, string][] = [
      ['Authorization', 'Digest username="a"'],
      ['Proxy-Authorization', 'Digest username="b"'],
    ];
    const call = harness.layer.request(anInvite({ headers }), undefined, harness.clientUser);
    harness.answer('INVITE', 180);
    harness.layer.cancel(call);
    harness.answer('INVITE', 487);
    const credentials = (method: string): (string | undefined)[] =>
      headers.map(([name]) => harness.sentRequest(method).headers.get(name));
    expect(credentials('ACK')).toEqual(headers.map(([, value]) => value));
    expect(credentials('CANCEL')).toEqual([undefined, undefined]);
  });

  it('3261-17.1.1.3-a over TCP Timer D is zero', () => {
    const harness = invite('TCP');
    harness.answer('INVITE', 404);
    harness.clock.advance(0);
    expect(harness.timesOf('ACK')).toEqual([0]);
    expect(harness.told).toEqual(['404', 'terminated']);
    expectGone(harness);
  });

  it.each(BOTH)(
    '6026-7.2-a over %s a 2xx goes to Accepted: further 2xx are passed for 64*T1, no ACK',
    (protocol) => {
      const harness = invite(protocol);
      harness.answer('INVITE', 200);
      harness.clock.advance(20_000);
      harness.answer('INVITE', 200, { toTag: 'forked' });
      harness.answer('INVITE', 180);
      harness.answer('INVITE', 486);
      expect(harness.told).toEqual(['200', '200']);
      expect(harness.timesOf('ACK')).toEqual([]);
      harness.clock.advance(12_000);
      expect(harness.told.at(-1)).toBe('terminated');
      harness.answer('INVITE', 200);
      expect(harness.told).toHaveLength(3);
      expectGone(harness);
    },
  );

  it.each(BOTH)('3261-18.4-a over %s a transport error is told once', (protocol) => {
    const harness = new Harness(protocol);
    harness.sender.failure = new Error('refused');
    harness.layer.request(anInvite(), undefined, harness.clientUser);
    expect(harness.told).toEqual([]);
    harness.clock.advance(0);
    expect(harness.told).toEqual(['transport-error', 'terminated']);
    expectGone(harness);
  });

  it('3261-18.1.1-a what TCP refuses goes over UDP, with retransmissions', () => {
    const harness = new Harness('TCP');
    harness.sender.failure = new Error('refused');
    harness.sender.withFallback = true;
    harness.layer.request(anInvite(), undefined, harness.clientUser);
    harness.clock.advance(600);
    expect(harness.timesOf('INVITE')).toEqual([0, 0, 500]);
    expect(harness.told).toEqual([]);
  });
});

describe('CANCEL', () => {
  it('3261-9.1-a waits for a provisional response, then takes what it must from the INVITE', () => {
    const harness = new Harness('UDP');
    const request = anInvite({ routes: ['<sip:p1;lr>'] });
    const transaction = harness.layer.request(request, undefined, harness.clientUser);
    harness.layer.cancel(transaction, [['Reason', 'SIP;cause=200']]);
    expect(harness.timesOf('CANCEL')).toEqual([]);
    harness.answer('INVITE', 100);
    const sent = harness.sentRequest('INVITE');
    const cancel = harness.sentRequest('CANCEL');
    for (const name of ['via', 'from', 'to', 'call-id', 'route']) {
      expect(cancel.headers.getAll(name)).toEqual(sent.headers.getAll(name));
    }
    expect(cancel.uri).toEqual(sent.uri);
    expect(cancel.cseq).toEqual({ sequence: 1, method: 'CANCEL' });
    expect(cancel.headers.get('reason')).toBe('SIP;cause=200');
    harness.answer('CANCEL', 200);
    harness.answer('INVITE', 487);
    expect(harness.told).toEqual(['100', '487']);
  });

  it('3261-9.1-a is not sent once a final response is there', () => {
    const harness = new Harness('UDP');
    const transaction = harness.layer.request(anInvite(), undefined, harness.clientUser);
    harness.layer.cancel(transaction);
    harness.answer('INVITE', 200);
    harness.layer.cancel(transaction);
    harness.clock.advance(60_000);
    expect(harness.timesOf('CANCEL')).toEqual([]);
    expectGone(harness);
  });

  it('3261-9.1-a an INVITE without final response ends 64*T1 after its CANCEL', () => {
    const harness = new Harness('UDP');
    const transaction = harness.layer.request(anInvite(), undefined, harness.clientUser);
    harness.answer('INVITE', 180);
    harness.layer.cancel(transaction);
    harness.clock.advance(32_000);
    expect(harness.told).toEqual(['180', 'timeout', 'terminated']);
    expectGone(harness);
  });
});

describe('non-INVITE client transaction', () => {
  it('3261-17.1.2.2-a over UDP Timer E doubles up to T2, Timer F ends it', () => {
    const harness = options('UDP');
    harness.clock.advance(32_000);
    expect(harness.timesOf('OPTIONS')).toEqual([
      0, 500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500,
    ]);
    expect(harness.told).toEqual(['timeout', 'terminated']);
    expectGone(harness);
  });

  it('3261-17.1.2.2-a over TCP there are no retransmissions', () => {
    const harness = options('TCP');
    harness.clock.advance(32_000);
    expect(harness.timesOf('OPTIONS')).toEqual([0]);
    expect(harness.told).toEqual(['timeout', 'terminated']);
    expectGone(harness);
  });

  it('3261-17.1.2.2-a in Proceeding Timer E is T2', () => {
    const harness = options('UDP');
    harness.clock.advance(400);
    harness.answer('OPTIONS', 100);
    harness.clock.advance(10_000);
    expect(harness.timesOf('OPTIONS')).toEqual([0, 500, 4_500, 8_500]);
    harness.clock.advance(21_600);
    expect(harness.told).toEqual(['100', 'timeout', 'terminated']);
  });

  it('3261-17.1.2.2-a over UDP repetitions of the final response are absorbed for T4', () => {
    const harness = options('UDP');
    harness.answer('OPTIONS', 200);
    harness.answer('OPTIONS', 200);
    harness.answer('OPTIONS', 100);
    harness.clock.advance(4_999);
    expect(harness.told).toEqual(['200']);
    expect(harness.layer.counts().nonInviteClient).toBe(1);
    harness.clock.advance(1);
    expectGone(harness);
  });

  it('3261-17.1.2.2-a over TCP Timer K is zero', () => {
    const harness = options('TCP');
    harness.answer('OPTIONS', 404);
    harness.clock.advance(0);
    expect(harness.told).toEqual(['404', 'terminated']);
    expectGone(harness);
  });

  it.each(BOTH)('over %s a transport error is told', (protocol) => {
    const harness = new Harness(protocol);
    harness.sender.failure = new Error('unreachable');
    harness.layer.request(aRequest('BYE'), undefined, harness.clientUser);
    harness.clock.advance(0);
    expect(harness.told).toEqual(['transport-error', 'terminated']);
    expectGone(harness);
  });
});

describe('matching responses', () => {
  it('6026-7.2-b a response that matches no transaction is dropped', () => {
    const harness = invite('UDP');
    const sent = harness.sentRequest('INVITE');
    const stray = sent.clone();
    stray.headers.set('Via', 'SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bKother');
    harness.sender.requests[0] = { at: 0, message: stray };
    harness.answer('INVITE', 200);
    expect(harness.told).toEqual([]);
  });

  it('3261-17.1.3 the method of the CSeq is compared: a 200 to the CANCEL is none to the INVITE', () => {
    const harness = new Harness('UDP');
    const transaction = harness.layer.request(anInvite(), undefined, harness.clientUser);
    harness.answer('INVITE', 180);
    harness.layer.cancel(transaction);
    harness.answer('CANCEL', 200);
    expect(harness.told).toEqual(['180']);
    expect(transaction.isPending).toBe(true);
  });

  it('after close nothing is called and no timer is left', () => {
    const harness = invite('UDP');
    harness.layer.close();
    expectGone(harness);
    harness.answer('INVITE', 200);
    expect(harness.told).toEqual(['terminated']);
  });
});
