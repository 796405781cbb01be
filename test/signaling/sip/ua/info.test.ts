import { beforeEach, describe, expect, it } from '@jest/globals';
import { FakeClock } from '../../../support/fake-clock.ts';
import { ScriptedPeer, type PeerRequest } from '../../../support/scripted-peer.ts';
import { sdp, sdpText, SipStack, SipWire } from '../../../support/sip-wire.ts';

let clock: FakeClock;
let server: SipStack;
let phone: ScriptedPeer;
let events: unknown[];

beforeEach(() => {
  clock = new FakeClock();
  const wire = new SipWire(clock);
  const at = { address: '10.0.0.1', port: 5060 };
  events = [];
  server = new SipStack(wire, at);
  phone = new ScriptedPeer(wire, { address: '10.0.0.2', port: 5070 }, at);
  phone.request('INVITE', { body: sdpText() });
  clock.advance(10);
  server.call.events.on('key', (key, ms) => events.push([key, ms]));
  server.call.events.on('keyframeWanted', () => events.push('keyframe'));
  server.call.accept(sdp());
  clock.advance(10);
  phone.ack(phone.response('INVITE'));
  clock.advance(10);
});

function info(parts: PeerRequest): number {
  const { toTag } = phone.response('INVITE');
  phone.request('INFO', { toTag, ...parts });
  clock.advance(10);

  return phone.response('INFO').status;
}

describe('INFO in a call', () => {
  it.each([
    ['Signal=5\r\nDuration=250\r\n', '5', 250],
    ['Signal= 11\r\nDuration= 100', '#', 100],
    ['signal=d', 'D', 160],
    ['Signal=*\r\nDuration=999999', '*', 8000],
  ])('legacy-info-a application/dtmf-relay %j is key %s', (body, key, ms) => {
    expect(info({ type: 'application/dtmf-relay', body })).toBe(200);
    expect(events).toEqual([[key, ms]]);
  });

  it('legacy-info-a application/dtmf is a key', () => {
    expect(info({ type: 'application/dtmf', body: '7\r\n' })).toBe(200);
    expect(events).toEqual([['7', 160]]);
  });

  it('a key that is none gets 400', () => {
    expect(info({ type: 'application/dtmf-relay', body: 'Signal=99' })).toBe(400);
    expect(info({ type: 'application/dtmf-relay', body: 'nonsense' })).toBe(400);
    expect(events).toEqual([]);
  });

  it('5168-a application/media_control+xml asks for a whole picture', () => {
    const body =
      '<media_control><vc_primitive><to_encoder><picture_fast_update/></to_encoder></vc_primitive></media_control>';
    expect(info({ type: 'application/media_control+xml', body })).toBe(200);
    expect(events).toEqual(['keyframe']);
  });

  it('6086-4.2.2-a an unknown Info-Package gets 469 with Recv-Info', () => {
    const headers: [string, string][] = [['Info-Package', 'foo']];
    expect(info({ headers, type: 'application/dtmf', body: '1' })).toBe(469);
    expect(phone.response('INFO').headers.get('Recv-Info')).toBe('');
    expect(events).toEqual([]);
  });

  it('6086-4.2.2-a an unknown body gets 415 with Accept, none 200', () => {
    expect(info({ type: 'text/plain', body: 'x' })).toBe(415);
    expect(phone.response('INFO').headers.list('Accept')).toContain('application/dtmf-relay');
    expect(info({})).toBe(200);
  });

  it('6086-4.2.2-a outside a dialog gets 481', () => {
    expect(info({ toTag: undefined })).toBe(481);
    expect(info({ toTag: 'none' })).toBe(481);
  });

  it('6086-4.2.2-a never changes the dialog', () => {
    info({ contact: '<sip:else@10.0.0.3:9>' });
    server.call.hangUp();
    clock.advance(10);
    expect(phone.requestOf('BYE').uri.text).toBe('sip:peer@10.0.0.2:5070');
  });

  it('6086-5.2-a our 2xx says that no package is wanted', () => {
    expect(phone.response('INVITE').headers.get('Recv-Info')).toBe('');
  });
});
