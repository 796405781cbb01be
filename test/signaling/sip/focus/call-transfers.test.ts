import { describe, expect, it } from '@jest/globals';
import type { CallTransfer } from '../../../../server/call-transfer.ts';
import { sdpText } from '../../../support/sip-wire.ts';
import { FocusHarness, ROOM, type Phone } from './focus-harness.ts';

const uri = `sip:${ROOM}@10.0.0.1`;
const WITH_REFER: [string, string][] = [['Allow', 'INVITE, ACK, BYE, CANCEL, NOTIFY, REFER']];

async function meeting(headers = WITH_REFER): Promise<{ harness: FocusHarness; phone: Phone }> {
  const harness = new FocusHarness();
  const phone = await harness.phone('10.0.0.2', { uri, headers, body: sdpText() });
  await phone.requests();

  return { harness, phone };
}

async function transferred(): Promise<{
  harness: FocusHarness;
  phone: Phone;
  transfer: CallTransfer;
}> {
  const { harness, phone } = await meeting();
  const transfer = harness.focus.transfers.start(phone.peer.callId, 'sip:bob@10.0.0.7');
  await harness.run();

  return { harness, phone, transfer };
}

function tell(phone: Phone, line: string, state = 'active;expires=60'): Promise<number> {
  return phone.inCall('NOTIFY', {
    headers: [
      ['Event', 'refer'],
      ['Subscription-State', state],
    ],
    type: 'message/sipfrag;version=2.0',
    body: `${line}\r\n`,
  });
}

const OVER = 'terminated;reason=noresource';

describe('a phone that is sent elsewhere', () => {
  it('3515-2.4.4-a is asked in its call, tells how it goes, and gets BYE when it is through', async () => {
    const { harness, phone, transfer } = await transferred();
    const refer = phone.peer.requestOf('REFER');
    expect(refer.headers.get('Refer-To')).toBe('<sip:bob@10.0.0.7>');
    expect(refer.headers.get('Referred-By')).toBe('<sip:1000@10.0.0.1>');
    expect(refer.headers.get('Contact')).toContain('isfocus');
    expect([refer.callId, refer.toTag]).toEqual([phone.peer.callId, phone.peer.tag]);
    expect(transfer.state).toBe('asked');
    phone.peer.respond(refer, 202);
    await harness.run();
    expect(transfer.state).toBe('trying');
    expect(await tell(phone, 'SIP/2.0 180 Ringing')).toBe(200);
    expect(transfer).toMatchObject({ state: 'ringing', status: 180 });
    expect(await tell(phone, 'SIP/2.0 200 OK', OVER)).toBe(200);
    expect(transfer).toMatchObject({ state: 'completed', status: 200 });
    expect(phone.peer.labels()).toContain('BYE');
    expect(harness.focus.transfers.find(phone.peer.callId)).toBe(transfer);
    expect(harness.conference.rooms.get(ROOM)?.joined() ?? []).toEqual([]);
  });

  it('7647-5 202 and 200 mean the same: that it tries', async () => {
    for (const status of [200, 202]) {
      const { harness, phone, transfer } = await transferred();
      phone.peer.respond(phone.peer.requestOf('REFER'), status);
      await harness.run();
      expect(transfer.state).toBe('trying');
    }
  });

  it('stays when the other one does not answer, or when it will not go', async () => {
    const busy = await transferred();
    busy.phone.peer.respond(busy.phone.peer.requestOf('REFER'), 200);
    await busy.harness.run();
    await tell(busy.phone, 'SIP/2.0 486 Busy Here', OVER);
    expect(busy.transfer).toMatchObject({ state: 'failed', status: 486 });
    expect(busy.phone.peer.labels()).not.toContain('BYE');

    const unwilling = await transferred();
    unwilling.phone.peer.respond(unwilling.phone.peer.requestOf('REFER'), 603);
    await unwilling.harness.run();
    expect(unwilling.transfer).toMatchObject({ state: 'failed', status: 603 });
    expect(unwilling.transfer.endedAt).toBeDefined();
  });

  it('and hangs up, or falls silent, leaves it unknown how it went', async () => {
    const gone = await transferred();
    gone.phone.peer.respond(gone.phone.peer.requestOf('REFER'), 202);
    await gone.harness.run();
    await gone.phone.inCall('BYE');
    expect(gone.transfer.state).toBe('unknown');

    const silent = await transferred();
    silent.phone.peer.respond(silent.phone.peer.requestOf('REFER'), 202);
    await silent.harness.run(241_000);
    expect(silent.transfer.state).toBe('failed');
  });

  it('without REFER in its Allow, unknown, or sent to no address, is refused', async () => {
    const { harness, phone } = await meeting([['Allow', 'INVITE, ACK, BYE']]);
    const { transfers } = harness.focus;
    expect(() => transfers.start(phone.peer.callId, 'bob')).toThrow('takes no transfer');
    expect(() => transfers.start('another', 'bob')).toThrow('in no room');
    const able = await meeting();
    const send = (to: string) => able.harness.focus.transfers.start(able.phone.peer.callId, to);
    for (const to of ['', 'http://x', 'sip:a@b?Replaces=x', 'sip:a@b;method=BYE', 'a b']) {
      expect(() => send(to)).toThrow('not a SIP URI');
    }
    send('2000');
    await able.harness.run();
    expect(able.phone.peer.requestOf('REFER').headers.get('Refer-To')).toBe('<sip:2000@10.0.0.1>');
    expect(() => send('2000')).toThrow('transferred already');
  });
});

describe('a NOTIFY that nobody waits for', () => {
  it('6665-4.1.3 gets 481; of an unknown package 489; with a body of another type 415', async () => {
    const { phone } = await meeting();
    expect(await tell(phone, 'SIP/2.0 100 Trying')).toBe(481);
    const parts = { headers: [['Event', 'dialog']] as [string, string][] };
    expect(await phone.inCall('NOTIFY', parts)).toBe(489);
    expect(await phone.send('NOTIFY', { headers: [['Event', 'refer']], callId: 'alone' })).toBe(
      481,
    );
    const asked = await transferred();
    const headers: [string, string][] = [['Event', 'refer']];
    const wrong = { headers, type: 'text/plain', body: 'SIP/2.0 200 OK' };
    expect(await asked.phone.inCall('NOTIFY', wrong)).toBe(415);
    expect(asked.transfer.state).toBe('asked');
  });
});
