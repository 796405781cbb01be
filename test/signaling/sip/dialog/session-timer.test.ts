import { beforeEach, describe, expect, it } from '@jest/globals';
import type { CallEnd } from '../../../../signaling/sip/ua/index.ts';
import { buildResponse, type SipRequest } from '../../../../signaling/sip/message/index.ts';
import type { FakeClock } from '../../../support/fake-clock.ts';
import type { ScriptedPeer } from '../../../support/scripted-peer.ts';
import { nameAddr, sdp, sdpText, type SipStack } from '../../../support/sip-wire.ts';
import { CallHarness } from './call-harness.ts';

type Headers = [string, string][];

let harness: CallHarness;
let clock: FakeClock;
let server: SipStack;
let phone: ScriptedPeer;
let ends: CallEnd[];

beforeEach(() => {
  harness = new CallHarness();
  ({ clock, server, phone, ends } = harness);
});

function invite(headers: Headers): void {
  harness.invite({ headers });
}

/** The phone calls with these headers; gives Session-Expires of the 200. */
function establish(headers: Headers): string | undefined {
  harness.establish({ headers });

  return phone.response('INVITE').headers.get('Session-Expires');
}

function timer(value: string, ...more: Headers): Headers {
  return [['Supported', 'timer'], ['Session-Expires', value], ...more];
}

describe('as UAS', () => {
  it('4028-9-a an interval under 90 gets 422 with Min-SE', () => {
    invite(timer('89'));
    expect(phone.response('INVITE').status).toBe(422);
    expect(phone.response('INVITE').headers.get('Min-SE')).toBe('90');
    expect(server.calls).toEqual([]);
  });

  it('4028-9-a not from a peer without timer support; its interval is raised to 90', () => {
    expect(establish([['Session-Expires', '60']])).toBe('90;refresher=uas');
  });

  it.each([
    ['100;refresher=uac', '100;refresher=uac'],
    ['100;refresher=uas', '100;refresher=uas'],
    ['100', '100;refresher=uas'],
    ['7200;refresher=uac', '1800;refresher=uac'],
  ])('4028-9-b %s is answered with %s', (asked, answered) => {
    expect(establish(timer(asked))).toBe(answered);
    const required = phone.response('INVITE').headers.list('Require');
    expect(required).toEqual(answered.endsWith('uac') ? ['timer'] : []);
    expect(phone.response('INVITE').headers.list('Supported')).toContain('timer');
  });

  it('4028-9-b never below the Min-SE of the request', () => {
    expect(establish(timer('7200', ['Min-SE', '3000']))).toBe('3000;refresher=uas');
  });

  it('a peer that knows no timers gets none', () => {
    expect(establish([])).toBeUndefined();
    clock.advance(100_000_000);
    expect(ends).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('compact form x is understood', () => {
    expect(
      establish([
        ['Supported', 'timer'],
        ['x', '120;refresher=uac'],
      ]),
    ).toBe('120;refresher=uac');
  });

  it('4028-10-b sends BYE 32 s before the end when the peer does not refresh', () => {
    establish(timer('180;refresher=uac'));
    clock.advance(147_900);
    expect(phone.labels()).not.toContain('BYE');
    clock.advance(200);
    expect(phone.labels()).toContain('BYE');
    expect(phone.requestOf('BYE').headers.get('Reason')).toContain('cause=408');
    expect(ends).toMatchObject([{ by: 'remote', cause: 'expired' }]);
  });

  it('4028-10-b a third of a short interval before its end', () => {
    establish(timer('90;refresher=uac'));
    clock.advance(59_900);
    expect(phone.labels()).not.toContain('BYE');
    clock.advance(200);
    expect(phone.labels()).toContain('BYE');
  });

  it.each(['INVITE', 'UPDATE'])('4028-10-a their %s starts the timer anew', (method) => {
    establish(timer('90;refresher=uac'));
    const { toTag } = phone.response('INVITE');
    clock.advance(50_000);
    const body = method === 'INVITE' ? { body: sdpText() } : {};
    phone.request(method, { toTag, headers: timer('90;refresher=uac'), ...body });
    clock.advance(10);
    expect(phone.response(method).headers.get('Session-Expires')).toBe('90;refresher=uac');
    if (method === 'INVITE') phone.ack(phone.response('INVITE'));
    clock.advance(50_000);
    expect(phone.labels()).not.toContain('BYE');
  });

  it('4028-9-a a refresh with too small an interval gets 422 and changes nothing', () => {
    establish(timer('90;refresher=uac'));
    const { toTag } = phone.response('INVITE');
    phone.request('UPDATE', { toTag, headers: timer('20') });
    clock.advance(10);
    expect(phone.response('UPDATE').status).toBe(422);
    expect(ends).toEqual([]);
  });
});

describe('the refresher', () => {
  function answer(request: SipRequest, status: number, headers: Headers = [], body?: string): void {
    phone.send(
      buildResponse(request, status, {
        headers,
        ...(body && { body: { type: 'application/sdp', content: body } }),
      }),
    );
  }

  it('4028-10-a sends UPDATE at half the interval where it is allowed, without SDP', () => {
    establish([...timer('90;refresher=uas'), ['Allow', 'INVITE, UPDATE']]);
    clock.advance(45_100);
    const update = phone.requestOf('UPDATE');
    expect(update.body).toHaveLength(0);
    expect(update.headers.get('Session-Expires')).toBe('90;refresher=uac');
    expect(update.headers.list('Supported')).toContain('timer');
    answer(update, 200, [['Session-Expires', '90;refresher=uac']]);
    clock.advance(45_100);
    expect(phone.requestOf('UPDATE').cseq.sequence).toBe(2);
    expect(ends).toEqual([]);
  });

  it('4028-10-a else re-INVITE with the description unchanged, its o= too', async () => {
    establish(timer('90;refresher=uas'));
    const before = phone.response('INVITE').bodyText;
    await clock.advanceAsync(45_100);
    const reinvite = phone.requestOf('INVITE');
    expect(reinvite.bodyText).toBe(before);
    answer(reinvite, 200, timer('90;refresher=uac'), sdpText());
    await clock.advanceAsync(10);
    expect(phone.requestOf('ACK').cseq.sequence).toBe(1);
    await clock.advanceAsync(45_000);
    expect(phone.requestOf('INVITE').cseq.sequence).toBe(2);
  });

  it('an UPDATE that is refused is followed by a re-INVITE before the session ends', async () => {
    establish([...timer('90;refresher=uas'), ['Allow', 'INVITE, UPDATE']]);
    await clock.advanceAsync(45_100);
    answer(phone.requestOf('UPDATE'), 405);
    await clock.advanceAsync(12_000);
    answer(phone.requestOf('INVITE'), 200, timer('90;refresher=uac'), sdpText());
    await clock.advanceAsync(20_000);
    expect(ends).toEqual([]);
  });

  it('4028-7.3-a raises the interval after 422', async () => {
    establish([...timer('90;refresher=uas'), ['Allow', 'UPDATE']]);
    await clock.advanceAsync(45_100);
    answer(phone.requestOf('UPDATE'), 422, [['Min-SE', '300']]);
    await clock.advanceAsync(20);
    const second = phone.requestOf('UPDATE');
    expect(second.cseq.sequence).toBe(2);
    expect(second.headers.get('Session-Expires')).toBe('300;refresher=uac');
    expect(second.headers.get('Min-SE')).toBe('300');
  });

  it('10 ends the call with BYE when its refresh stays unanswered', async () => {
    establish([...timer('90;refresher=uas'), ['Allow', 'UPDATE']]);
    await clock.advanceAsync(61_000);
    expect(phone.labels()).toContain('BYE');
    expect(ends).toHaveLength(1);
  });
});

describe('as UAC', () => {
  function dial(): void {
    const call = server.userAgent.call({
      to: nameAddr('<sip:peer@10.0.0.2:5070>'),
      from: nameAddr('<sip:room@10.0.0.1>'),
      offer: sdp({ port: 5000 }),
    });
    call.events.on('ended', (end) => ends.push(end));
    clock.advance(10);
  }

  it('4028-7.1-a says Supported: timer and its interval', () => {
    dial();
    const { headers } = phone.requestOf('INVITE');
    expect(headers.list('Supported')).toContain('timer');
    expect(headers.get('Session-Expires')).toBe('1800');
  });

  it('4028-7.3-a calls again after 422: same Call-ID and From tag, CSeq + 1, its Min-SE', () => {
    dial();
    const first = phone.requestOf('INVITE');
    phone.send(buildResponse(first, 422, { toTag: 'a', headers: [['Min-SE', '3600']] }));
    clock.advance(10);
    const second = phone.requestOf('INVITE');
    expect([second.callId, second.fromTag]).toEqual([first.callId, first.fromTag]);
    expect(second.cseq.sequence).toBe(2);
    expect(second.headers.get('Session-Expires')).toBe('3600');
    expect(second.headers.get('Min-SE')).toBe('3600');
    // The same demand again is a refusal.
    phone.send(buildResponse(second, 422, { toTag: 'b', headers: [['Min-SE', '3600']] }));
    clock.advance(10);
    expect(ends).toMatchObject([{ cause: 'rejected' }]);
  });

  it.each([
    ['uac', true],
    ['uas', false],
  ])('4028-10-a with refresher=%s in the 200 the refresh is ours: %s', (refresher, ours) => {
    dial();
    const headers: Headers = [
      ['Require', 'timer'],
      ['Allow', 'UPDATE'],
      ['Session-Expires', `100;refresher=${refresher}`],
    ];
    const body = { type: 'application/sdp', content: sdpText() };
    phone.send(
      buildResponse(phone.requestOf('INVITE'), 200, {
        toTag: 'one',
        contact: '<sip:peer@10.0.0.2:5070>',
        headers,
        body,
      }),
    );
    clock.advance(50_100);
    expect(phone.labels().includes('UPDATE')).toBe(ours);
    clock.advance(18_000);
    expect(phone.labels()).toContain('BYE');
  });
});
