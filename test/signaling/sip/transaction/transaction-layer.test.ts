import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import {
  buildResponse,
  type RequestParts,
  type SipRequest,
} from '../../../../signaling/sip/message/index.ts';
import { TransactionTimers } from '../../../../signaling/sip/transaction/index.ts';
import { anInvite, aRequest, received } from '../../../support/message-builder.ts';
import { Harness } from './harness.ts';

const OLD_VIA = 'SIP/2.0/UDP 192.0.2.1:5062';

function respond(harness: Harness, status: number, at = 0): void {
  const server = harness.servers[at]!;
  server.respond(buildResponse(server.request, status, { toTag: 'ours' }));
}

function ack(via: string, tag: string): SipRequest {
  return received(aRequest('ACK', { to: `<sip:100@parley.example>;tag=${tag}` }), via);
}

describe('matching requests (3261-17.2.3-a)', () => {
  /** Inside a dialog: no two of them are copies that a fork has made. */
  function inside(method: string, parts: Partial<RequestParts> = {}): SipRequest {
    return aRequest(method, { to: '<sip:100@parley.example>;tag=ours', ...parts });
  }

  it('branch, sent-by host and port, and method make the transaction', () => {
    const harness = new Harness('UDP');
    const via = (host: string, branch: string): string => `SIP/2.0/UDP ${host};branch=${branch}`;
    harness.receive(received(inside('OPTIONS'), via('h1', 'z9hG4bK1')));
    harness.receive(received(inside('OPTIONS'), via('H1', 'z9hG4bK1')));
    expect(harness.told).toHaveLength(1);
    harness.receive(received(inside('OPTIONS'), via('h2', 'z9hG4bK1')));
    harness.receive(received(inside('OPTIONS'), via('h1:5070', 'z9hG4bK1')));
    harness.receive(received(inside('OPTIONS'), via('h1', 'z9hG4bK2')));
    harness.receive(received(inside('BYE'), via('h1', 'z9hG4bK1')));
    expect(harness.told).toHaveLength(5);
  });

  it.each([OLD_VIA, `${OLD_VIA};branch=1`, `${OLD_VIA};branch=z9hG4bK`])(
    'without a cookie (%s) Request-URI, tags, Call-ID, CSeq and Via make it',
    (via) => {
      const harness = new Harness('UDP');
      harness.receive(received(inside('INVITE'), via));
      harness.receive(received(inside('INVITE'), via));
      expect(harness.told).toHaveLength(1);
      harness.receive(received(inside('INVITE', { cseq: 2 }), via));
      harness.receive(received(inside('INVITE', { callId: 'other' }), via));
      harness.receive(received(inside('INVITE', { uri: 'sip:101@parley.example' }), via));
      harness.receive(received(inside('INVITE', { from: '<sip:alice@phone.example>;tag=x' }), via));
      expect(harness.told).toHaveLength(5);
    },
  );

  it('without a cookie an ACK needs the To tag of the response', () => {
    const harness = new Harness('UDP');
    harness.receive(received(anInvite(), OLD_VIA));
    respond(harness, 486);
    harness.receive(ack(OLD_VIA, 'another'));
    expect(harness.told).toEqual(['INVITE', 'ACK']);
    harness.receive(ack(OLD_VIA, 'ours'));
    harness.clock.advance(5_000);
    expect(harness.told).toEqual(['INVITE', 'ACK', 'terminated']);
  });

  it("an ACK that matches nothing is the user's and never answered", () => {
    const harness = new Harness('UDP');
    harness.receive(ack('SIP/2.0/UDP h;branch=z9hG4bKx', 'ours'));
    expect(harness.told).toEqual(['ACK']);
    expect(harness.responses).toEqual([]);
    expect(harness.layer.counts().total).toBe(0);
  });
});

describe('CANCEL (3261-9.2-a)', () => {
  it('matching: 200, and the user of the INVITE is told', () => {
    const harness = new Harness('UDP');
    harness.receive(received(anInvite()));
    respond(harness, 180);
    harness.receive(received(aRequest('CANCEL')));
    expect(harness.told).toEqual(['INVITE', 'cancelled']);
    expect(harness.responses).toEqual(['180@0', '200@0']);
    expect(harness.sender.responses[1]?.message).toMatchObject({ method: 'CANCEL', toTag: 'ours' });
    respond(harness, 487);
    harness.receive(received(aRequest('CANCEL')));
    expect(harness.told).toEqual(['INVITE', 'cancelled']);
    expect(harness.responses).toEqual(['180@0', '200@0', '487@0', '200@0']);
  });

  it('before any response the To tag is the one that the INVITE will get', () => {
    const harness = new Harness('UDP');
    harness.receive(received(anInvite()));
    harness.receive(received(aRequest('CANCEL')));
    const server = harness.servers[0]!;
    server.respond(buildResponse(server.request, 487));
    const [first, second] = harness.sender.responses;
    expect(first?.message.toTag).toBe(second?.message.toTag);
  });

  it('no match: 481', () => {
    const harness = new Harness('UDP');
    harness.receive(received(aRequest('CANCEL')));
    expect(harness.responses).toEqual(['481@0']);
    expect(harness.told).toEqual([]);
  });

  it.each([200, 486])('after a final %d: 200 and no effect', (status) => {
    const harness = new Harness('UDP');
    harness.receive(received(anInvite()));
    respond(harness, status);
    harness.receive(received(aRequest('CANCEL')));
    expect(harness.told).toEqual(['INVITE']);
    expect(harness.responses).toEqual([`${String(status)}@0`, '200@0']);
  });
});

describe('merged requests (3261-8.2.2.2-a)', () => {
  const via = (n: number): string => `SIP/2.0/UDP h;branch=z9hG4bK${String(n)}`;

  it.each(['INVITE', 'MESSAGE', 'SUBSCRIBE', 'REFER', 'OPTIONS'])(
    'a second copy of a %s by another way is 482, while the first is open and after its 2xx',
    (method) => {
      const harness = new Harness('UDP');
      harness.receive(received(aRequest(method), via(1)));
      harness.receive(received(aRequest(method), via(2)));
      respond(harness, 200);
      harness.receive(received(aRequest(method), via(3)));
      expect(harness.told).toEqual([method]);
      expect(harness.responses).toEqual(['482@0', '200@0', '482@0']);
      expect(harness.layer.counts().total).toBe(1);
      harness.clock.advance(32_000);
      harness.receive(received(aRequest(method), via(4)));
      expect(harness.told).toEqual([method, 'terminated', method]);
    },
  );

  it('another From tag, Call-ID or CSeq, and a request inside a dialog, are none', () => {
    const harness = new Harness('UDP');
    harness.receive(received(anInvite(), via(1)));
    harness.receive(received(anInvite({ from: '<sip:a@b>;tag=x' }), via(2)));
    harness.receive(received(anInvite({ callId: 'other' }), via(3)));
    harness.receive(received(anInvite({ cseq: 2 }), via(4)));
    harness.receive(received(anInvite({ to: '<sip:100@parley.example>;tag=t' }), via(5)));
    expect(harness.told).toHaveLength(5);
  });

  it('one that was refused is none: a proxy may try number after number', () => {
    const harness = new Harness('UDP');
    harness.receive(received(anInvite(), via(1)));
    respond(harness, 486);
    harness.receive(received(anInvite({ uri: 'sip:101@parley.example' }), via(2)));
    expect(harness.told).toEqual(['INVITE', 'INVITE']);
    harness.clock.advance(40_000);
    harness.receive(received(anInvite(), via(3)));
    expect(harness.responses.at(-1)).toBe('482@40000');
  });

  it('the CANCEL of a second copy finds nothing, and that of the first its INVITE', () => {
    const harness = new Harness('UDP');
    for (const n of [1, 2]) harness.receive(received(anInvite(), via(n)));
    for (const n of [2, 1]) harness.receive(received(aRequest('CANCEL'), via(n)));
    expect(harness.responses).toEqual(['482@0', '481@0', '200@0']);
    expect(harness.told).toEqual(['INVITE', 'cancelled']);
  });
});

describe('bounds', () => {
  it('3261-8.2.7-a too many transactions: 503 with nothing kept; dialogs and CANCEL still pass', () => {
    const harness = new Harness('UDP', { maxTransactions: 4 });
    const via = (n: number): string => `SIP/2.0/UDP h;branch=z9hG4bK${String(n)}`;
    const call = (n: number): SipRequest => received(anInvite({ cseq: n + 1 }), via(n));
    for (let n = 0; n < 4; n++) harness.receive(call(n));
    harness.receive(call(4));
    harness.receive(call(4));
    expect(harness.responses).toEqual(['503@0', '503@0']);
    const [first, second] = harness.sender.responses;
    expect(first?.message.headers.has('retry-after')).toBe(true);
    expect(first?.message.toTag).toBe(second?.message.toTag);
    expect(harness.layer.counts().total).toBe(4);
    harness.receive(received(aRequest('BYE', { to: '<sip:x>;tag=ours' }), via(5)));
    expect(harness.told.at(-1)).toBe('BYE');
    harness.receive(received(aRequest('BYE', { to: '<sip:x>;tag=ours' }), via(6)));
    expect(harness.responses).toHaveLength(3);
  });

  it('counts by kind; close leaves nothing', () => {
    const harness = new Harness('UDP');
    harness.receive(received(anInvite()));
    harness.receive(received(aRequest('OPTIONS')));
    harness.layer.request(anInvite(), undefined, harness.clientUser);
    harness.layer.request(aRequest('BYE'), undefined, harness.clientUser);
    expect(harness.layer.counts()).toEqual({
      inviteClient: 1,
      nonInviteClient: 1,
      inviteServer: 1,
      nonInviteServer: 1,
      total: 4,
    });
    harness.layer.close();
    harness.layer.close();
    expect(harness.layer.counts().total).toBe(0);
    expect(harness.clock.pendingTimers).toBe(0);
    harness.receive(received(aRequest('OPTIONS')));
    expect(harness.layer.counts().total).toBe(0);
    harness.layer.request(anInvite(), undefined, harness.clientUser);
    expect(harness.clock.pendingTimers).toBe(0);
  });
});

describe('timers', () => {
  it('follow from T1, T2 and T4 and from reliability (RFC 3261 table 4, RFC 6026)', () => {
    const timers = new TransactionTimers({ t1: 100, t2: 800, t4: 1_000 });
    expect([timers.timerA, timers.timerB, timers.timerE, timers.timerF]).toEqual([
      100, 6_400, 100, 6_400,
    ]);
    expect([timers.timerG, timers.timerH, timers.timerL, timers.timerM]).toEqual([
      100, 6_400, 6_400, 6_400,
    ]);
    for (const reliable of [true, false]) {
      const [d, i, j, k] = reliable ? [0, 0, 0, 0] : [6_400, 1_000, 6_400, 1_000];
      expect([timers.timerD(reliable), timers.timerI(reliable)]).toEqual([d, i]);
      expect([timers.timerJ(reliable), timers.timerK(reliable)]).toEqual([j, k]);
    }
    expect([timers.doubledUpToT2(300), timers.doubledUpToT2(500)]).toEqual([600, 800]);
    expect(timers.nonInviteTrying).toBe(700);
  });
});

describe('what a transaction keeps after its final response, for 64*T1', () => {
  /** Answers a request that then nobody but the transaction itself could have. */
  function answered(harness: Harness, method: string, status: number): WeakRef<object> {
    harness.receive(message(method));
    respond(harness, status);

    return new WeakRef(harness.servers.splice(0)[0]!.request);
  }

  function message(method: string): SipRequest {
    return received(aRequest(method), 'SIP/2.0/UDP 192.0.2.1:5062;branch=z9hG4bKa');
  }

  async function isCollected(held: WeakRef<object>): Promise<boolean> {
    setFlagsFromString('--expose-gc');
    // What a WeakRef was made of lives to the end of the turn.
    await new Promise((resolve) => setImmediate(resolve));
    (runInNewContext('gc') as () => void)();

    return held.deref() === undefined;
  }

  it.each([
    ['INVITE', 200, ['200@0']],
    ['INVITE', 486, ['486@0', '486@0']],
    ['OPTIONS', 404, ['404@0', '404@0']],
  ])('%s %i: the octets for retransmissions, not the request', async (method, status, sent) => {
    const harness = new Harness('UDP');
    const held = answered(harness, method, status);
    expect(await isCollected(held)).toBe(true);
    harness.receive(message(method));
    expect(harness.responses).toEqual(sent);
    expect(harness.layer.counts().total).toBe(1);
  });
});
