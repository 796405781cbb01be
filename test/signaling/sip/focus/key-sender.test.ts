import { describe, expect, it } from '@jest/globals';
import type { FakePhoneLeg } from '../../../support/fake-media-engine.ts';
import { sdpText } from '../../../support/sip-wire.ts';
import { FocusHarness, ROOM, type Phone } from './focus-harness.ts';

const uri = `sip:${ROOM}@10.0.0.1`;
const WITH_INFO: [string, string][] = [['Allow', 'INVITE, ACK, BYE, CANCEL, INFO']];

async function meeting(headers: [string, string][] = []): Promise<{
  harness: FocusHarness;
  phone: Phone;
  leg: FakePhoneLeg;
  press: (digits: string) => { form: string };
}> {
  const harness = new FocusHarness();
  const phone = await harness.phone('10.0.0.2', { uri, headers, body: sdpText() });
  await phone.requests();
  const [member] = harness.conference.rooms.get(ROOM)!.joined();
  const leg = member!.phoneLeg as FakePhoneLeg;

  return { harness, phone, leg, press: (digits) => harness.keys.press(phone.peer.callId, digits) };
}

describe('keys from us to a phone', () => {
  it('go as events where they were agreed on, with the pauses that are asked for', async () => {
    const { harness, leg, press } = await meeting(WITH_INFO);
    expect(press('w12,3')).toEqual({ digits: 'w12,3', form: 'events' });
    await harness.run(400);
    expect(leg.pressed).toEqual([]);
    await harness.run(200);
    expect(leg.pressed).toEqual(['12']);
    expect(press('4').form).toBe('events');
    expect(() => press('w'.repeat(64))).toThrow('too many keys wait');
    await harness.run(2000);
    expect(leg.pressed).toEqual(['12', '3', '4']);
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
    const { harness, phone, leg, press } = await meeting(WITH_INFO);
    leg.keyForm = 'tones';
    press('123w4');
    await harness.run(50);
    phone.peer.respond(phone.peer.requestOf('INFO'), 415);
    await harness.run(800);
    expect(leg.pressed).toEqual(['123', '4']);

    const plain = await meeting();
    plain.leg.keyForm = 'tones';
    expect(plain.press('9').form).toBe('tones');
    await plain.harness.run(50);
    expect(plain.leg.pressed).toEqual(['9']);
  });

  it('end with the call, and are refused for one that is in no room', async () => {
    const { harness, phone, leg, press } = await meeting();
    press('1,2');
    await harness.run(100);
    await phone.inCall('BYE');
    await harness.run(5000);
    expect(leg.pressed).toEqual(['1']);
    expect(() => press('3')).toThrow('in no room');
  });
});

function isInfo(message: { kind: string; method?: string }): boolean {
  return message.kind === 'request' && message.method === 'INFO';
}
