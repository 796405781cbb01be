import { describe, expect, it } from '@jest/globals';
import { FocusHarness, ROOM } from './focus-harness.ts';

const uri = `sip:${ROOM}@10.0.0.1`;
const BOB = '<sip:bob@10.0.0.7>';

function referTo(...more: [string, string][]): { uri: string; headers: [string, string][] } {
  return { uri, headers: [['Refer-To', BOB], ...more] };
}

describe('a REFER that needs a password', () => {
  it('3515-5.2-a is answered alike whether there is an account of that name or not', async () => {
    const answers: string[] = [];
    for (const name of ['known', 'nobody']) {
      const harness = new FocusHarness();
      await harness.books.accounts.create({ username: 'known', password: 'secret' });
      const from = `<sip:${name}@example.com>`;
      const phone = await harness.phone('10.0.0.2', { uri, from });
      const ask = async (...credentials: [string, string][]): Promise<void> => {
        await phone.inCall('REFER', { ...referTo(...credentials), from });
        const { status, headers } = phone.peer.response('REFER');
        const [challenge = ''] = headers.getAll('WWW-Authenticate');
        answers.push(`${status} ${challenge.replace(/nonce="[^"]*"/, '')}`);
      };
      await ask();
      await ask(...phone.credentials('REFER', { username: name, password: 'guessed' }));
      expect(harness.dialled).toEqual([]);
    }
    expect(answers[0]).toMatch(/^401 Digest realm="example.com"/);
    expect(answers.slice(2)).toEqual(answers.slice(0, 2));
  });

  it('3515-5.2-a of a member of another domain is refused, as it could prove nothing here', async () => {
    const harness = new FocusHarness();
    const from = '<sip:ann@elsewhere.example>';
    const phone = await harness.phone('10.0.0.2', { uri, from });
    expect(await phone.inCall('REFER', { ...referTo(), from })).toBe(403);
  });
});
