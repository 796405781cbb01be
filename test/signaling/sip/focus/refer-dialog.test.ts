import { describe, expect, it } from '@jest/globals';
import { FocusHarness, ROOM } from './focus-harness.ts';

const uri = `sip:${ROOM}@10.0.0.1`;

describe('the news of a REFER', () => {
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
