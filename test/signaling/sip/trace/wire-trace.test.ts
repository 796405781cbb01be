import { beforeEach, describe, expect, it } from '@jest/globals';
import { buildResponse, serializeMessage } from '../../../../signaling/sip/message/index.ts';
import { maskSecrets, WireTrace } from '../../../../signaling/sip/trace/index.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { anInvite, aRequest, bytesOf, received } from '../../../support/message-builder.ts';

const REMOTE = { address: '192.0.2.1', port: 5062 };
const MINUTE = 60_000;

let clock: FakeClock;
let trace: WireTrace;

beforeEach(() => {
  clock = new FakeClock();
  trace = new WireTrace(clock, { firstMessages: 2, lastMessages: 3, maxCalls: 3 });
});

function request(method: string, callId: string): void {
  trace.record('in', 'UDP', REMOTE, bytesOf(received(aRequest(method, { callId }))));
}

function answer(status: number, callId: string, method = 'INVITE'): void {
  const invite = received(
    method === 'INVITE' ? anInvite({ callId }) : aRequest(method, { callId }),
  );
  trace.record('out', 'UDP', REMOTE, serializeMessage(buildResponse(invite, status)));
}

function states(): Record<string, string> {
  return Object.fromEntries(trace.live().map(({ callId, state }) => [callId, state]));
}

describe('WireTrace', () => {
  it("keeps a call's ladder in order, and its state", () => {
    request('INVITE', 'a');
    expect(states()).toEqual({ a: 'ringing' });
    answer(180, 'a');
    answer(200, 'a');
    expect(states()).toEqual({ a: 'established' });
    const { id } = trace.live()[0]!;
    request('BYE', 'a');
    expect(states()).toEqual({});
    const found = trace.find(id)!;
    expect(found.call.state).toBe('ended');
    expect(found.messages.map(({ direction, summary }) => `${direction} ${summary}`)).toEqual([
      'in INVITE',
      'out 180 Ringing',
      'out 200 OK',
      'in BYE',
    ]);
    expect(found.messages[0]).toMatchObject({ transport: 'UDP', remote: '192.0.2.1:5062' });
  });

  it('is of calls alone', () => {
    request('OPTIONS', 'b');
    answer(200, 'b', 'OPTIONS');
    trace.record('in', 'UDP', REMOTE, Buffer.from('rubbish'));
    expect(trace.byteCount).toBe(0);
  });

  it('a refused call is over, a refused re-INVITE is not', () => {
    request('INVITE', 'a');
    answer(486, 'a');
    request('INVITE', 'b');
    answer(200, 'b');
    request('INVITE', 'b');
    answer(488, 'b');
    expect(states()).toEqual({ b: 'established' });
  });

  it('3326-2-a says why a call ended: the Reason of the BYE, else the status', () => {
    const reasonOf = (callId: string): string | undefined => {
      const [call] = trace.live();
      answer(callId === 'a' ? 200 : 486, callId);
      const headers: [string, string][] = [['Reason', 'Q.850;cause=41']];
      const bye = received(aRequest('BYE', { callId, headers }));
      trace.record('in', 'UDP', REMOTE, bytesOf(bye));

      return trace.find(call!.id)?.call.reason;
    };
    request('INVITE', 'a');
    expect(reasonOf('a')).toBe('Q.850;cause=41');
    request('INVITE', 'b');
    expect(reasonOf('b')).toBe('486 Busy Here');
  });

  it('keeps the first and the last messages of many', () => {
    request('INVITE', 'a');
    answer(200, 'a');
    for (let i = 0; i < 20; i++) request('INFO', 'a');
    const [call] = trace.live();
    request('BYE', 'a');
    expect(call?.messageCount).toBe(22);
    const summaries = trace.find(call?.id ?? '')?.messages.map(({ summary }) => summary);
    expect(summaries).toEqual(['INVITE', '200 OK', 'INFO', 'INFO', 'BYE']);
  });

  it('forgets an ended call after a time, a live one not', () => {
    request('INVITE', 'a');
    answer(486, 'a');
    request('INVITE', 'b');
    answer(200, 'b');
    const before = trace.byteCount;
    clock.advance(11 * MINUTE);
    expect(states()).toEqual({ b: 'established' });
    expect(trace.byteCount).toBeLessThan(before);
  });

  it('is bounded: the longest quiet call goes first', () => {
    for (const callId of ['a', 'b', 'c', 'd']) {
      request('INVITE', callId);
      answer(200, callId);
    }
    expect(Object.keys(states()).sort()).toEqual(['b', 'c', 'd']);
  });
});

describe('masked are', () => {
  it.each([
    [
      'Authorization: Digest username="a",\r\n response="0123"\r\nTo: x',
      'Authorization: Digest ***\r\nTo: x',
    ],
    ['proxy-authorization : Basic abc', 'proxy-authorization : Basic ***'],
    [
      'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGw|2^20|1:4',
      'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:***|2^20|1:4',
    ],
    ['a=ice-pwd:abcdef', 'a=ice-pwd:***'],
    ['From: <sip:alice:secret@example.com>', 'From: <sip:alice:***@example.com>'],
    ['INVITE sip:100*1234@example.com SIP/2.0', 'INVITE sip:100****@example.com SIP/2.0'],
    ['Signal=5\r\nDuration=160', 'Signal=***\r\nDuration=160'],
    ['Contact: <sip:bob@192.0.2.4:5060>', 'Contact: <sip:bob@192.0.2.4:5060>'],
  ])('%j', (text, masked) => {
    expect(maskSecrets(text)).toBe(masked);
  });
});
