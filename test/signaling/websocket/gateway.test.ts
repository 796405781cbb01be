import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { RoomNumber } from '../../../base/index.ts';
import type { RequestPayload } from '../../../signaling/websocket/protocol.ts';
import { ROOM } from '../../server/room-harness.ts';
import { SocketServer, requestId } from './socket-harness.ts';

let server: SocketServer;

const microphone: RequestPayload<'produce'> = {
  transportId: 't',
  kind: 'audio',
  source: 'microphone',
  rtpParameters: { codecs: [] },
  paused: false,
};

beforeEach(async () => {
  server = await SocketServer.start();
});

afterEach(async () => {
  await server.close();
});

describe('join', () => {
  it('answers with the whole room and tells the others', async () => {
    const ann = await server.joined('Ann');
    const bob = await server.joined('Bob');

    expect(bob.answer.resumed).toBe(false);
    expect(bob.answer.room).toEqual({ number: '1000', name: 'Room 1000', locked: false });
    expect(bob.answer.roster.map(({ name, kind }) => [name, kind])).toEqual([
      ['Ann', 'browser'],
      ['Bob', 'browser'],
    ]);
    expect(await ann.page.hears('participant-joined')).toMatchObject({
      participant: { id: bob.answer.participantId, name: 'Bob' },
    });
    expect(bob.page.names()).toEqual(['ack join']);
  });

  it('shows nobody where a participant comes from', async () => {
    const { answer } = await server.joined('Ann');

    expect(Object.keys(answer.roster[0]!)).not.toContain('address');
    expect(server.conference.rooms.require(ROOM).roster()[0]?.address).toBe('127.0.0.1');
  });

  it('gives a resume token of 128 random bits', async () => {
    const { answer } = await server.joined('Ann');

    expect(Buffer.from(answer.resumeToken, 'base64url')).toHaveLength(16);
  });

  it('tells a page of another version to reload', async () => {
    const ack = await server.page().send('join', { version: 0, what: 'an old page says' });

    expect(ack).toMatchObject({ ok: false, code: 'PROTOCOL_VERSION' });
    expect(ack).toMatchObject({ message: expect.stringContaining('reload') });
  });

  it('passes on why a room cannot be entered', async () => {
    await server.conference.rooms.create({ number: '77' as RoomNumber, guestPin: '1234' });

    await expect(server.page().join('Ann', { room: '77' })).rejects.toThrow('FORBIDDEN');
    await expect(server.page().join('Ann', { room: '0' })).rejects.toThrow('ROOM_NOT_FOUND');
  });

  it('is refused a second time on one socket', async () => {
    const { page } = await server.joined('Ann');

    await expect(page.join('Ann again')).rejects.toThrow('INVALID_STATE');
  });

  it('comes before every other request', async () => {
    const ack = await server.page().request('create-transport', { direction: 'send' });

    expect(ack).toMatchObject({ ok: false, code: 'INVALID_STATE' });
  });

  it('repeated on a new socket, its answer having been lost, makes no second participant', async () => {
    const id = requestId();
    const first = await server.page().join('Ann', {}, id);
    await server.cutWires();
    const second = await server.page().join('Ann', {}, id);

    expect(second.participantId).toBe(first.participantId);
    expect(server.roster()).toEqual(['Ann']);
  });

  it('whose socket breaks before the answer keeps its seat for the grace time only', async () => {
    let open: () => void = () => undefined;
    server.conference.media.gate = new Promise((resolve) => (open = resolve));
    const page = server.page();
    void page.join('Ann');
    await server.settled(() => server.conference.rooms.list().length === 1);
    await server.cutWires();
    open();
    await server.settled(() => server.gateway.counters().members === 1);
    await server.conference.clock.advanceAsync(15_000);

    expect(server.conference.rooms.list()).toEqual([]);
    expect(server.gateway.counters().members).toBe(0);
  });
});

describe('a lost connection', () => {
  it('that comes back in time is the same participant, and nobody hears of it', async () => {
    const ann = await server.joined('Ann');
    const bob = await server.joined('Bob');
    const { resumeToken } = bob.answer;
    const leg = server.conference.media.rooms[0]!.webRtcLegs[1]!;
    await server.cutWires();
    const annAgain = server.page();
    await annAgain.join('Ann', { resumeToken: ann.answer.resumeToken });
    await server.conference.clock.advanceAsync(14_900);
    const back = await server.page().join('Bob', { resumeToken });

    expect(back).toMatchObject({ resumed: true, participantId: bob.answer.participantId });
    expect(leg.closed).toBe(false);
    expect(annAgain.names()).toEqual(['ack join']);
  });

  it('comes back to a fresh picture of what it missed', async () => {
    const ann = await server.joined('Ann');
    await server.cutWires();
    const bob = await server.joined('Bob');
    await bob.page.request('produce', microphone);
    const back = await server.page().join('Ann', { resumeToken: ann.answer.resumeToken });

    expect(back.roster.map(({ name }) => name).sort()).toEqual(['Ann', 'Bob']);
    expect(back.producers).toMatchObject([
      { participantId: bob.answer.participantId, source: 'microphone' },
    ]);
  });

  it('that does not come back leaves as disconnected', async () => {
    const ann = await server.joined('Ann');
    await server.cutWires();
    const bob = await server.joined('Bob');
    await server.conference.clock.advanceAsync(15_000);

    expect(await bob.page.hears('participant-left')).toEqual({
      participantId: ann.answer.participantId,
      reason: 'disconnected',
    });
    expect(server.gateway.counters().members).toBe(1);
  });

  it('that comes back too late enters anew', async () => {
    const ann = await server.joined('Ann');
    await server.cutWires();
    await server.conference.clock.advanceAsync(15_000);
    const back = await server.page().join('Ann', { resumeToken: ann.answer.resumeToken });

    expect(back.resumed).toBe(false);
    expect(back.participantId).not.toBe(ann.answer.participantId);
  });

  it('whose successor is there first is told that it was replaced', async () => {
    const ann = await server.joined('Ann');
    await server.page().join('Ann', { resumeToken: ann.answer.resumeToken });

    expect(await ann.page.hears('ended')).toMatchObject({ reason: 'replaced' });
    await ann.page.isClosed();
    expect(server.roster()).toEqual(['Ann']);
  });

  it('answers a request again that was answered on the lost socket', async () => {
    const ann = await server.joined('Ann');
    const id = requestId();
    const first = await ann.page.request('produce', microphone, id);
    await server.cutWires();
    const page = server.page();
    await page.join('Ann', { resumeToken: ann.answer.resumeToken });

    expect(await page.request('produce', microphone, id)).toEqual(first);
    expect(server.conference.media.rooms[0]!.producers()).toHaveLength(1);
  });
});

describe('the end', () => {
  it('by leave is at once, and the ack comes before it', async () => {
    const { page } = await server.joined('Ann');
    await page.request('leave', {});
    await page.isClosed();

    expect(page.names()).toEqual(['ack join', 'ack leave', 'ended']);
    expect(server.roster()).toEqual([]);
    expect(server.gateway.counters()).toMatchObject({ sockets: 0, members: 0 });
  });

  it('by a page that goes away needs no answer', async () => {
    const { page } = await server.joined('Ann');
    page.socket.emit('leave', { requestId: requestId() });
    page.socket.disconnect();
    await server.settled(() => server.roster().length === 0);
  });

  it('of the meeting is told with its reason before the socket closes', async () => {
    const { page } = await server.joined('Ann');
    await server.conference.rooms.delete(ROOM);
    await page.isClosed();

    expect(await page.hears('ended')).toMatchObject({ reason: 'room-ended', retryable: false });
    expect(server.conference.media.openRooms).toEqual([]);
  });

  it('of the server is announced', async () => {
    const { page } = await server.joined('Ann');
    server.gateway.announceClosing();
    await server.conference.rooms.shutdown();
    await page.isClosed();

    expect(page.names().slice(-2)).toEqual(['server-closing', 'ended']);
    expect(await page.hears('ended')).toMatchObject({ reason: 'server-closing', retryable: true });
    await expect(server.page().join('Bob')).rejects.toThrow('SHUTTING_DOWN');
  });

  it('leaves no timer behind', async () => {
    await server.joined('Ann');
    await server.close();

    expect(server.conference.clock.pendingTimers).toBe(0);
  });
});

describe('media', () => {
  it('of one page is told to the others after its own ack', async () => {
    const ann = await server.joined('Ann');
    const bob = await server.joined('Bob');
    const ack = await bob.page.request('produce', microphone);

    expect(ack).toMatchObject({ ok: true, data: { producerId: expect.any(String) } });
    expect(await ann.page.hears('producer-added')).toMatchObject({
      producer: { participantId: bob.answer.participantId, source: 'microphone', paused: false },
    });
  });

  it('paused by its page shows as muted', async () => {
    const ann = await server.joined('Ann');
    const bob = await server.joined('Bob');
    const ack = await bob.page.request('produce', microphone);
    if (!ack.ok) throw new Error(ack.message);
    await bob.page.request('pause-producer', { producerId: ack.data.producerId });

    expect(await ann.page.hears('producer-updated')).toMatchObject({ producer: { paused: true } });
    expect(await bob.page.hears('participant-updated')).toMatchObject({
      participant: { muted: true },
    });
  });

  it('that a consumer loses is told to that page alone', async () => {
    const ann = await server.joined('Ann');
    const bob = await server.joined('Bob');
    const leg = server.conference.media.rooms[0]!.webRtcLegs[0]!;
    leg.events.emit('consumerLayers', 'c1' as never, undefined);
    leg.events.emit('consumerClosed', 'c1' as never);

    expect(await ann.page.hears('consumer-closed')).toEqual({ consumerId: 'c1' });
    expect(await ann.page.hears('consumer-layers')).toEqual({ consumerId: 'c1', layers: null });
    expect(bob.page.names()).toEqual(['ack join']);
  });
});

describe('admission of sockets', () => {
  it('is bounded in rate for each address', async () => {
    await server.close();
    server = await SocketServer.start({ connections: { perSecond: 1, burst: 2 } });
    await server.joined('Ann');
    await server.joined('Bob');

    expect(await server.page().isClosed()).toContain('websocket error');
    expect(server.gateway.counters()).toMatchObject({ sockets: 2, connectionsRefused: 1 });
    server.conference.clock.advance(1000);
    await server.joined('Cid');
  });

  it('is denied to pages of another site', async () => {
    const page = server.page({ origin: 'https://evil.example' });
    await page.isClosed();

    expect(server.gateway.counters()).toMatchObject({ sockets: 0, connectionsRefused: 1 });
  });

  it('ends when nobody joins', async () => {
    const page = server.page();
    await server.settled(() => server.gateway.counters().sockets === 1);
    server.conference.clock.advance(30_000);

    expect(await page.isClosed()).toBe('io server disconnect');
  });
});
