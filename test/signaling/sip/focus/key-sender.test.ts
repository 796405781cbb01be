import { describe, expect, it } from '@jest/globals';
import type { FakePhoneLeg } from '../../../support/fake-media-engine.ts';
import { ScriptedPeer } from '../../../support/scripted-peer.ts';
import { sdpText } from '../../../support/sip-wire.ts';
import { FocusHarness, ROOM, US, type Phone } from './focus-harness.ts';

const uri = `sip:${ROOM}@10.0.0.1`;
const WITH_INFO: [string, string][] = [['Allow', 'INVITE, ACK, BYE, CANCEL, INFO']];

async function meeting(headers: [string, string][] = []): Promise<{
  harness: FocusHarness;
  phone: Phone;
  leg: FakePhoneLeg;
  press: (digits: string) => { form: string };
  progress: () => object | undefined;
}> {
  const harness = new FocusHarness();
  const phone = await harness.phone('10.0.0.2', { uri, headers, body: sdpText() });
  await phone.requests();
  const [member] = harness.conference.rooms.get(ROOM)!.joined();
  const leg = member!.phoneLeg as FakePhoneLeg;

  const { callId } = phone.peer;
  const press = (digits: string) => harness.keys.press(callId, digits);

  return { harness, phone, leg, press, progress: () => harness.keys.find(callId) };
}

describe('keys from us to a phone', () => {
  it('go as events where they were agreed on, with the pauses that are asked for', async () => {
    const { harness, leg, press, progress } = await meeting(WITH_INFO);
    expect(progress()).toBeUndefined();
    expect(press('w12,3')).toEqual({ digits: 'w12,3', form: 'events' });
    await harness.run(400);
    expect(leg.pressed).toEqual([]);
    await harness.run(200);
    expect(leg.pressed).toEqual(['12']);
    expect(press('4').form).toBe('events');
    expect(() => press('w'.repeat(64))).toThrow('too many keys wait');
    expect(progress()).toEqual({ form: 'events', state: 'pressing' });
    await harness.run(2000);
    expect(leg.pressed).toEqual(['12', '3', '4']);
    expect(progress()).toEqual({ form: 'events', state: 'pressed' });
  });

  it('legacy-info-a go as INFO, one after the other, to a phone without events', async () => {
    const { harness, phone, leg, press } = await meeting(WITH_INFO);
    leg.keyForm = 'tones';
    expect(press('1#').form).toBe('info');
    await harness.run(50);
    const first = phone.peer.requestOf('INFO');
    expect(first.contentType?.type).toBe('application/dtmf-relay');
    expect(first.bodyText).toMatch(/^Signal=1\r\nDuration=100\r\n/);
    await harness.run(400);
    expect(phone.peer.received.filter(isInfo)).toHaveLength(1);
    phone.peer.respond(first, 200);
    await harness.run(200);
    expect(phone.peer.requestOf('INFO').bodyText).toMatch(/^Signal=#/);
    expect(leg.pressed).toEqual([]);
  });

  it('go on as tones when an INFO is refused, and are tones where none is allowed', async () => {
    const { harness, phone, leg, press, progress } = await meeting(WITH_INFO);
    leg.keyForm = 'tones';
    press('123w4');
    await harness.run(50);
    phone.peer.respond(phone.peer.requestOf('INFO'), 415);
    await harness.run(800);
    expect(leg.pressed).toEqual(['123', '4']);
    expect(progress()).toEqual({ form: 'tones', state: 'pressed' });

    const plain = await meeting();
    plain.leg.keyForm = 'tones';
    expect(plain.press('9').form).toBe('tones');
    await plain.harness.run(50);
    expect(plain.leg.pressed).toEqual(['9']);
  });

  it('that the phone would not have to the end are cut off, and later ones begin anew', async () => {
    const { harness, leg, press, progress } = await meeting();
    leg.takesKeys = false;
    press('12');
    await harness.run();
    expect(progress()).toEqual({ form: 'events', state: 'cut-off' });
    leg.takesKeys = true;
    press('3');
    await harness.run();
    expect(progress()).toEqual({ form: 'events', state: 'pressed' });
  });

  it('as tones after a refused INFO may be cut off too', async () => {
    const { harness, phone, leg, press, progress } = await meeting(WITH_INFO);
    leg.keyForm = 'tones';
    leg.takesKeys = false;
    press('12');
    await harness.run(50);
    phone.peer.respond(phone.peer.requestOf('INFO'), 415);
    await harness.run();
    expect(progress()).toMatchObject({ state: 'cut-off' });
  });

  it('for a callee are pressed once it answers, and the call says how it went', async () => {
    const harness = new FocusHarness({ reallyDials: true });
    const bob = new ScriptedPeer(harness.wire, { address: '10.0.0.7', port: 5060 }, US);
    await harness.phone('10.0.0.2', { uri });
    await harness.dialOut.start(ROOM, { uri: 'sip:bob@10.0.0.7', digits: '1,2' });
    await harness.run();
    const invite = bob.requestOf('INVITE');
    const keys = () => harness.dialOut.list(ROOM)[0]!.keys;
    expect(keys()).toBeUndefined();
    bob.respond(invite, 200, sdpText());
    await harness.run();
    expect(keys()).toEqual({ form: 'events', state: 'pressing' });
    bob.request('BYE', { toTag: invite.fromTag, callId: invite.callId, cseq: 7 });
    await harness.run();
    expect(keys()).toEqual({ form: 'events', state: 'cut-off' });
  });

  it('end with the call, and are refused for one that is in no room', async () => {
    const { harness, phone, leg, press, progress } = await meeting();
    press('1,2');
    await harness.run(100);
    await phone.inCall('BYE');
    await harness.run(5000);
    expect(leg.pressed).toEqual(['1']);
    expect(progress()).toEqual({ form: 'events', state: 'cut-off' });
    expect(() => press('3')).toThrow('in no room');
  });
});

function isInfo(message: { kind: string; method?: string }): boolean {
  return message.kind === 'request' && message.method === 'INFO';
}
