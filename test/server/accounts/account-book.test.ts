import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { SecretBox } from '../../../server/accounts/index.ts';
import { Books } from '../account-harness.ts';

const KEY = 'k'.repeat(43);

describe('accounts', () => {
  it('give H(A1) of their password by both algorithms, and store neither it nor the password', async () => {
    const { accounts, accountStore } = new Books();
    const shown = await accounts.create({ username: 'bob', password: 'pa55word' });
    const md5 = createHash('md5').update('bob:example.com:pa55word').digest('hex');
    const sha = createHash('sha256').update('bob:example.com:pa55word').digest('hex');
    expect(await accounts.ha1('bob', 'MD5')).toBe(md5);
    expect(await accounts.ha1('bob', 'SHA-256')).toBe(sha);
    expect(await accounts.ha1('bob', 'SHA-512-256')).toBeUndefined();
    expect(await accounts.ha1('nobody', 'MD5')).toBeUndefined();
    for (const text of [JSON.stringify(shown), JSON.stringify([...accountStore.values])]) {
      expect(text).not.toContain('pa55word');
      expect(text).not.toContain(md5);
      expect(text).not.toContain(sha);
    }
  });

  it('say that the password is needed again when the domain or the key changed', async () => {
    const books = new Books();
    await books.accounts.create({ username: 'bob', password: 'pa55word' });
    for (const other of [books.withRealm('other.org', KEY), books.withRealm('example.com', 'x')]) {
      expect(await other.ha1('bob', 'MD5')).toBeUndefined();
      expect((await other.show('bob')).needsPassword).toBe(true);
    }
    expect((await books.accounts.show('bob')).needsPassword).toBe(false);
  });

  it('a new password is told, a change of the name is not', async () => {
    const { accounts } = new Books();
    const changed: string[] = [];
    accounts.events.on('passwordChanged', (username) => changed.push(username));
    await accounts.create({ username: 'bob', password: 'pa55word', name: 'Bob' });
    expect((await accounts.update('bob', { name: null, digest: ['SHA-256'] })).name).toBe('bob');
    expect(changed).toEqual([]);
    expect(await accounts.algorithms('bob')).toEqual(['SHA-256']);
    await accounts.update('bob', { password: 'new', digest: null });
    expect(changed).toEqual(['bob']);
    expect(await accounts.algorithms('bob')).toBeUndefined();
  });

  it('do not show themselves by their own list of challenges: nobody has one as often', async () => {
    const { accounts } = new Books();
    expect(await accounts.algorithms('nobody')).toBeUndefined();
    const books = new Books();
    for (let i = 0; i < 40; i++) {
      const digest = i % 4 === 0 ? { digest: ['SHA-256' as const] } : {};
      await books.accounts.create({ username: `user${i}`, password: 'pa55word', ...digest });
    }
    const again = books.withRealm('example.com', KEY);
    let own = 0;
    for (let i = 0; i < 400; i++) {
      const list = await books.accounts.algorithms(`nobody${i}`);
      expect(await again.algorithms(`nobody${i}`)).toEqual(list);
      if (list !== undefined) own += 1;
    }
    expect(own).toBeGreaterThan(60);
    expect(own).toBeLessThan(140);
  });

  it('show registrations until they expire, and forget them with the account', async () => {
    const { accounts, clock } = new Books();
    await accounts.create({ username: 'bob', password: 'pa55word' });
    const now = clock.wallTime();
    const endpoint = { address: '2001:db8::1', port: 5070 };
    await accounts.saveBindings('bob', [
      {
        contact: 'sip:bob@[2001:db8::1]:5070',
        params: [],
        callId: 'c',
        cseq: 1,
        expiresAt: now + 60_000,
        registeredAt: now,
        path: [],
        flow: { protocol: 'UDP', remote: endpoint, local: endpoint, process: 'p' },
      },
    ]);
    expect((await accounts.show('bob')).registrations).toEqual([
      {
        contact: 'sip:bob@[2001:db8::1]:5070',
        transport: 'udp',
        source: '[2001:db8::1]:5070',
        registeredAt: '2026-01-01T00:00:00.000Z',
        expiresAt: '2026-01-01T00:01:00.000Z',
      },
    ]);
    clock.advance(60_000);
    expect((await accounts.show('bob')).registrations).toEqual([]);
    await accounts.remove('bob');
    await expect(accounts.show('bob')).rejects.toMatchObject({ code: 'ACCOUNT_NOT_FOUND' });
  });
});

describe('SecretBox', () => {
  it('opens what it sealed, for the same name and with the same key alone', () => {
    const box = new SecretBox(KEY);
    const sealed = box.seal('text', 'bob');
    expect(box.open(sealed, 'bob')).toBe('text');
    expect(box.open(sealed, 'carol')).toBeUndefined();
    expect(new SecretBox('other').open(sealed, 'bob')).toBeUndefined();
    expect(box.open(`${sealed.slice(0, -2)}AA`, 'bob')).toBeUndefined();
    expect(box.open('', 'bob')).toBeUndefined();
    expect(box.seal('text', 'bob')).not.toBe(sealed);
  });
});
