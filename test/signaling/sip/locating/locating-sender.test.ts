import { beforeEach, describe, expect, it } from '@jest/globals';
import {
  buildResponse,
  viaBranch,
  type SipRequest,
} from '../../../../signaling/sip/message/index.ts';
import { LocatingSender, type Requester } from '../../../../signaling/sip/locating/index.ts';
import type { ClientTransactionUser } from '../../../../signaling/sip/transaction/index.ts';
import type { SendTarget } from '../../../../signaling/sip/transport/index.ts';
import { anInvite, aRequest } from '../../../support/message-builder.ts';
import { Harness } from '../transaction/harness.ts';

/** All promises that are due have been kept. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

interface Try {
  target: SendTarget | undefined;
  user: ClientTransactionUser;
}

let tries: Try[];
let cancelled: number;
let acks: (SendTarget | undefined)[];
let loseAck: (() => void) | undefined;
let told: string[];
let targets: SendTarget[];
let sender: LocatingSender;

beforeEach(() => {
  tries = [];
  cancelled = 0;
  acks = [];
  told = [];
  targets = [1, 2, 3].map((n) => ({ protocol: 'UDP', address: `192.0.2.${n}`, port: 5060 }));
  const inner: Requester = {
    request: (request, target, user) => {
      tries.push({ target, user });

      return { request, isProceeding: false, isPending: true };
    },
    sendAck: (_ack, target, onFailure) => {
      acks.push(target);
      loseAck = onFailure;

      return { send: () => acks.push(target) };
    },
    cancel: () => (cancelled += 1),
  };
  sender = new LocatingSender(inner, { locate: () => Promise.resolve([...targets]) });
});

function send(
  request: SipRequest = anInvite(),
  target?: SendTarget,
): ReturnType<Requester['request']> {
  return sender.request(request, target, {
    onResponse: (response) => told.push(String(response.status)),
    onFailure: (failure) => told.push(failure),
    onTerminated: () => told.push('terminated'),
  });
}

function answer(index: number, status: number): void {
  tries[index]!.user.onResponse(buildResponse(anInvite(), status));
}

describe('3263-4.3-a one place after the other', () => {
  it.each([
    ['503', (at: number) => answer(at, 503)],
    ['a timeout', (at: number) => tries[at]!.user.onFailure('timeout')],
    ['a transport error', (at: number) => tries[at]!.user.onFailure('transport-error')],
  ])('goes on after %s', async (_what, fail) => {
    send();
    await settled();
    fail(0);
    fail(1);
    answer(2, 180);
    answer(2, 200);
    expect(tries.map(({ target }) => target?.address)).toEqual([
      '192.0.2.1',
      '192.0.2.2',
      '192.0.2.3',
    ]);
    expect(told).toEqual(['180', '200']);
  });

  it('each try has a branch of its own', async () => {
    const harness = new Harness('UDP');
    const located = new LocatingSender(harness.layer, { locate: () => Promise.resolve(targets) });
    located.request(aRequest('OPTIONS'), undefined, harness.clientUser);
    await settled();
    harness.answer('OPTIONS', 503);
    const branches = harness.sender.requests.map(({ message }) => viaBranch(message.via));
    expect(branches).toHaveLength(2);
    expect(new Set(branches).size).toBe(2);
    expect(harness.told).toEqual([]);
  });

  it('does not go on after any other answer', async () => {
    send();
    await settled();
    answer(0, 486);
    tries[0]!.user.onTerminated?.();
    expect(told).toEqual(['486', 'terminated']);
    expect(tries).toHaveLength(1);
  });

  it("tells the last place's failure, and nothing of those before it", async () => {
    send();
    await settled();
    answer(0, 503);
    tries[0]!.user.onTerminated?.();
    tries[1]!.user.onFailure('timeout');
    answer(2, 503);
    expect(told).toEqual(['503']);
  });

  it('fails where there is no place', async () => {
    targets = [];
    const transaction = send();
    expect(transaction.isPending).toBe(true);
    await settled();
    expect(told).toEqual(['transport-error']);
    expect(transaction.isPending).toBe(false);
  });

  it('tries nothing more once it is cancelled', async () => {
    const invite = send();
    await settled();
    sender.cancel(invite);
    expect(cancelled).toBe(1);
    tries[0]!.user.onFailure('timeout');
    expect(tries).toHaveLength(1);
    expect(told).toEqual(['timeout']);
  });

  it('sends nothing when it is cancelled before its name is found', async () => {
    sender.cancel(send());
    await settled();
    expect(tries).toEqual([]);
    expect(told).toEqual(['transport-error']);
  });
});

describe('what needs no look-up', () => {
  it('goes at once: a given target, and an address', () => {
    send(anInvite(), targets[1]);
    send(anInvite({ uri: 'sip:100@192.0.2.7' }));
    send(anInvite({ routes: ['<sip:192.0.2.8;lr>'] }));
    expect(tries.map(({ target }) => target?.address)).toEqual(['192.0.2.2', undefined, undefined]);
  });
});

describe('ACK', () => {
  it('goes to the first place, again when it is asked for again', async () => {
    const ack = sender.sendAck(anInvite(), undefined);
    ack.send(() => undefined);
    await settled();
    ack.send(() => undefined);
    expect(acks.map((target) => target?.address)).toEqual(['192.0.2.1', '192.0.2.1']);
  });
});

describe('the connection that a dialog began with', () => {
  const CONNECTION: SendTarget = {
    ...{ protocol: 'TCP', address: '192.0.2.7', port: 40_123, connectionId: 'tcp-1' },
  };
  const inDialog = (method: string): SipRequest =>
    aRequest(method, { uri: 'sip:a@192.0.2.7', to: '<sip:a@b>;tag=t' });

  function ways(): (string | undefined)[] {
    return tries.map(({ target }) => target?.connectionId ?? target?.address);
  }

  it('3261-12.2.1.1-a is used; when it is gone, the place that Contact or Route names', async () => {
    send(inDialog('BYE'), CONNECTION);
    expect(ways()).toEqual(['tcp-1']);
    tries[0]!.user.onFailure('transport-error');
    await settled();
    expect(ways()).toEqual(['tcp-1', '192.0.2.1']);
    answer(1, 200);
    expect(told).toEqual(['200']);
  });

  it('that answers 503, or not at all, is the answer', async () => {
    send(inDialog('BYE'), CONNECTION);
    answer(0, 503);
    send(inDialog('BYE'), CONNECTION);
    tries[1]!.user.onFailure('timeout');
    await settled();
    expect(ways()).toEqual(['tcp-1', 'tcp-1']);
    expect(told).toEqual(['503', 'timeout']);
  });

  it('is the only way to a WebSocket client, and of a request that has no dialog yet', async () => {
    send(inDialog('BYE'), { ...CONNECTION, protocol: 'WSS' });
    send(anInvite(), CONNECTION);
    for (const each of [...tries]) each.user.onFailure('transport-error');
    await settled();
    expect(ways()).toEqual(['tcp-1', 'tcp-1']);
    expect(told).toEqual(['transport-error', 'transport-error']);
  });

  it('gone, and nobody where the Contact is: the failure is told once', async () => {
    targets = [];
    send(inDialog('BYE'), CONNECTION);
    tries[0]!.user.onFailure('transport-error');
    await settled();
    expect(told).toEqual(['transport-error']);
  });

  it('cancelled while the other way is looked for, nothing more is sent', async () => {
    const transaction = send(inDialog('INVITE'), CONNECTION);
    tries[0]!.user.onFailure('transport-error');
    sender.cancel(transaction);
    await settled();
    expect(ways()).toEqual(['tcp-1']);
    expect(told).toEqual(['transport-error']);
  });

  it('3261-13.2.2.4-a gone, the ACK takes the other way, and again when it is asked for', async () => {
    const ack = sender.sendAck(inDialog('ACK'), CONNECTION);
    loseAck?.();
    await settled();
    ack.send(() => undefined);
    expect(acks.map((target) => target?.connectionId ?? target?.address)).toEqual([
      'tcp-1',
      '192.0.2.1',
      '192.0.2.1',
    ]);
  });
});
