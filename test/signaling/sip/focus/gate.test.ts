import { describe, expect, it } from '@jest/globals';
import { FocusHarness, ROOM, type Phone } from './focus-harness.ts';

const uri = `sip:${ROOM}@10.0.0.1`;
const PEER = { username: 'peer', password: 'secret' };

async function server(guests: boolean): Promise<{ harness: FocusHarness; phone: Phone }> {
  const harness = new FocusHarness({ guests });
  await harness.books.accounts.create(PEER);
  await harness.conference.rooms.create({ number: ROOM });

  return { harness, phone: harness.peer('10.0.0.2') };
}

describe('a request outside any call', () => {
  it.each([
    ['SUBSCRIBE', { headers: [['Event', 'conference']] as [string, string][] }, 200],
    ['MESSAGE', { body: 'Hello', type: 'text/plain' }, 403],
    ['REFER', { headers: [['Refer-To', '<sip:bob@10.0.0.7>']] as [string, string][] }, 403],
    ['OPTIONS', {}, 200],
  ])('3261-22.1-a %s is challenged where guests may not call', async (method, parts, status) => {
    const { phone } = await server(false);
    expect(await phone.send(method, { uri, ...parts })).toBe(401);
    expect(phone.peer.response(method).headers.get('WWW-Authenticate')).toContain('example.com');
    const headers = [
      ...('headers' in parts ? parts.headers : []),
      ...phone.credentials(method, PEER),
    ];
    expect(await phone.send(method, { uri, ...parts, headers })).toBe(status);
  });

  it('is not where they may, nor for the server itself', async () => {
    const { phone } = await server(true);
    const headers: [string, string][] = [['Event', 'conference']];
    expect(await phone.send('SUBSCRIBE', { uri, headers })).toBe(200);
    expect(await (await server(false)).phone.send('OPTIONS', { uri: 'sip:10.0.0.1' })).toBe(200);
  });

  it('3261-22.1-a a refresh of what it let in is not asked again', async () => {
    const { phone } = await server(false);
    const event: [string, string] = ['Event', 'conference'];
    await phone.send('SUBSCRIBE', { uri, headers: [event] });
    const headers = [event, ...phone.credentials('SUBSCRIBE', PEER)];
    expect(await phone.send('SUBSCRIBE', { uri, headers })).toBe(200);
    const { toTag } = phone.peer.response('SUBSCRIBE');
    expect(await phone.send('SUBSCRIBE', { uri, toTag, headers: [event] })).toBe(200);
  });
});
