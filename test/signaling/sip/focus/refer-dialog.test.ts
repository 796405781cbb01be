import { describe, expect, it } from '@jest/globals';
import { FocusHarness, ROOM, type Phone } from './focus-harness.ts';

const uri = `sip:${ROOM}@10.0.0.1`;

describe('the news of a REFER', () => {
  async function asked(): Promise<{ harness: FocusHarness; phone: Phone }> {
    const harness = new FocusHarness();
    await harness.books.accounts.create({ username: 'bob', password: 'secret' });
    const phone = await harness.phone('10.0.0.2', { uri });
    const toBob: [string, string][] = [['Refer-To', '<sip:bob@example.com>']];
    await phone.inCall('REFER', { uri, headers: toBob });
    await phone.requests();
    harness.dialled[0]!.onProgress({ state: 'ringing', status: 180 });
    await harness.run();
    await phone.requests();

    return { harness, phone };
  }

  function subscribe(phone: Phone, event: string, expires: string): Promise<number> {
    const headers: [string, string][] = [
      ['Event', event],
      ['Expires', expires],
    ];

    return phone.inCall('SUBSCRIBE', { uri, headers });
  }

  it('6665-4.1.2.3-a 3515-2.4.4-a end with Expires: 0: 200, and a last NOTIFY', async () => {
    const { harness, phone } = await asked();
    expect(await subscribe(phone, 'refer', '0')).toBe(200);
    expect(phone.peer.response('SUBSCRIBE').headers.get('Expires')).toBe('0');
    const [last] = await phone.requests();
    expect(last?.headers.get('Subscription-State')).toBe('terminated;reason=timeout');
    expect(last?.bodyText).toBe('SIP/2.0 180 Ringing\r\n');
    harness.dialled[0]!.onProgress({ state: 'answered' });
    await harness.run();
    expect(await phone.requests()).toEqual([]);
    expect(await subscribe(phone, 'refer', '60')).toBe(481);
  });

  it('6665-4.2.1.2-a are told again to a SUBSCRIBE, which makes them live no longer', async () => {
    const { phone } = await asked();
    expect(await subscribe(phone, 'refer', '9999')).toBe(200);
    expect(Number(phone.peer.response('SUBSCRIBE').headers.get('Expires'))).toBeLessThan(241);
    const [notify] = await phone.requests();
    expect(notify?.headers.get('Subscription-State')).toMatch(/^active;expires=/);
    expect(notify?.bodyText).toBe('SIP/2.0 180 Ringing\r\n');
    expect(await subscribe(phone, 'refer;id=77', '0')).toBe(481);
    expect(await subscribe(phone, 'refer', 'soon')).toBe(400);
  });

  it.each(['BYE of theirs', 'BYE of ours'])(
    '6665-4.4.1-a 3515-2.4.4-a go on after a %s: the call and they only share a dialog',
    async (whose) => {
      const harness = new FocusHarness();
      const from = '<sip:ann@example.com>';
      await harness.books.accounts.create({ username: 'bob', password: 'secret' });
      await harness.browser('Cleo');
      const phone = await harness.phone('10.0.0.2', { uri, from });
      await phone.requests();
      const toBob: [string, string][] = [['Refer-To', '<sip:bob@example.com>']];
      expect(await phone.inCall('REFER', { uri, from, headers: toBob })).toBe(200);
      await phone.requests();
      const { rooms } = harness.conference;
      if (whose === 'BYE of theirs') await phone.inCall('BYE', { uri });
      else await rooms.get(ROOM)!.joined().at(-1)!.leave('kicked');
      await harness.run();
      await phone.requests();
      harness.dialled[0]!.onProgress({ state: 'answered' });
      await harness.run();
      const [last, ...more] = await phone.requests();
      expect(more).toEqual([]);
      expect(last).toMatchObject({ method: 'NOTIFY', toTag: phone.peer.tag });
      expect(last?.headers.get('Subscription-State')).toBe('terminated;reason=noresource');
      expect(last?.bodyText).toBe('SIP/2.0 200 OK\r\n');
    },
  );
});
