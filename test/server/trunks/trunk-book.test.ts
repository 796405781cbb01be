import { describe, expect, it } from '@jest/globals';
import type { RoomNumber } from '../../../base/index.ts';
import { Books } from '../account-harness.ts';

const room = '850' as RoomNumber;
const PLAIN = { host: 'sip.example.net', transport: 'udp' } as const;

describe('trunks', () => {
  it('show no password, keep it sealed, and open it for those who need it', async () => {
    const { trunks, trunkStore } = new Books();
    const shown = await trunks.create('a', { ...PLAIN, username: 'u', password: 'pa55word' });
    expect(shown).toMatchObject({ passwordSet: true, status: { registration: 'off' } });
    expect(JSON.stringify([shown, ...trunkStore.values.values()])).not.toContain('pa55word');
    expect(trunks.open('a').password).toBe('pa55word');
    expect((await trunks.update('a', { password: null })).passwordSet).toBe(false);
  });

  it('lead to no video unless they are said to', async () => {
    const { trunks } = new Books();
    expect(await trunks.create('a', PLAIN)).not.toHaveProperty('video');
    expect((await trunks.update('a', { video: true })).video).toBe(true);
    expect((await trunks.update('a', { maxCalls: 3 })).video).toBe(true);
    expect(await trunks.update('a', { video: false })).not.toHaveProperty('video');
  });

  it.each([
    { register: true },
    { allowedAddresses: ['example.com'] },
    { allowedAddresses: ['10.0.0.0/33'] },
    { allowedAddresses: ['10.0.0.0/8/8'] },
  ])('refuse what cannot work: %j', async (request) => {
    const { trunks } = new Books();

    await expect(trunks.create('a', { ...PLAIN, ...request })).rejects.toMatchObject({
      code: 'BAD_REQUEST',
    });
    expect(trunks.list()).toEqual([]);
  });

  it('are found by address and prefix; who routes the number goes first', async () => {
    const { trunks } = new Books();
    await trunks.create('a', { ...PLAIN, allowedAddresses: ['10.1.0.0/16', '2001:db8::/32'] });
    const didRoutes = [{ did: '+49 (30) 123', room }];
    await trunks.create('b', { ...PLAIN, allowedAddresses: ['10.1.2.3'], didRoutes });
    expect(trunks.ofAddress('10.1.2.3', ['4930123'])).toBe('b');
    expect(trunks.ofAddress('10.1.2.3', ['1'])).toBe('a');
    expect(trunks.ofAddress('2001:db8::5', [])).toBe('a');
    expect(trunks.ofAddress('10.2.0.1', ['4930123'])).toBeUndefined();
    expect(trunks.routeOf('b', ['user', '+4930123'])).toBe(room);
    expect(trunks.routeOf('b', ['user'])).toBeUndefined();
  });

  it('own their numbers where they prove themselves by digest', async () => {
    const { trunks } = new Books();
    const didRoutes = [{ did: '123', room }];
    await trunks.create('a', { ...PLAIN, didRoutes });
    expect(trunks.ofDid(['123'])).toBeUndefined();
    await trunks.update('a', { username: 'u', password: 'p' });
    expect(trunks.ofDid(['123'])).toBe('a');
    expect(await trunks.ha1('u', 'r', 'MD5')).toMatch(/^[0-9a-f]{32}$/);
    expect(await trunks.ha1('x', 'r', 'MD5')).toBeUndefined();
  });

  it('compare host and port', async () => {
    const { trunks } = new Books();
    await trunks.create('a', { ...PLAIN, port: 5080 });
    expect(trunks.ofHost('SIP.example.net', 5080)).toBe('a');
    expect(trunks.ofHost('sip.example.net', 5060)).toBeUndefined();
  });

  it('are picked by name unless they are down, and since when is shown', async () => {
    const { trunks, clock } = new Books();
    await trunks.create('a', PLAIN);
    await trunks.create('b', PLAIN);
    expect(trunks.pick()).toBe('a');
    trunks.setStatus('a', { state: 'down', reason: 'no answer' });
    clock.advance(1000);
    trunks.setStatus('a', { state: 'down', reason: '503 Busy' });
    expect(trunks.pick()).toBe('b');
    expect(trunks.show('a').status).toEqual({
      state: 'down',
      registration: 'off',
      reason: '503 Busy',
      since: '2026-01-01T00:00:00.000Z',
    });
    trunks.setStatus('a', { state: 'up' });
    expect(trunks.show('a').status).not.toHaveProperty('reason');
  });

  it('have as many lines as they say', async () => {
    const { trunks } = new Books();
    await trunks.create('a', { ...PLAIN, maxCalls: 1 });
    const giveBack = trunks.takeCall('a');
    expect(() => trunks.takeCall('a')).toThrow(/no free line/);
    giveBack();
    giveBack();
    expect(trunks.show('a').calls).toBe(0);
    trunks.takeCall('a');
  });

  it('come back from the store once, and are told', async () => {
    const books = new Books();
    await books.trunks.create('a', { ...PLAIN, username: 'u', password: 'p' });
    const again = new Books();
    for (const trunk of books.trunkStore.values.values()) await again.trunkStore.save(trunk);
    const told: string[] = [];
    again.trunks.events.on('changed', ({ name, password }) => told.push(`${name} ${password}`));
    await again.trunks.load();
    await again.trunks.load();
    expect(told).toEqual(['a p']);
  });
});
