import { describe, expect, it } from '@jest/globals';
import type { RoomNumber } from '../../base/index.ts';
import { Conference, ROOM, RecordingSink } from './room-harness.ts';

describe('join', () => {
  it('makes one room for two who dial a new number at once', async () => {
    const conference = new Conference();
    const [ann, bob] = await Promise.all([conference.join('Ann'), conference.join('Bob')]);

    expect(ann.room).toBe(bob.room);
    expect(conference.media.rooms).toHaveLength(1);
  });

  it('refuses a number that does not exist when rooms are not made by dialling', async () => {
    const conference = new Conference({ autoCreate: false });

    await expect(conference.join('Ann')).rejects.toMatchObject({ code: 'ROOM_NOT_FOUND' });
    expect(conference.rooms.list()).toEqual([]);
  });

  it('finds a room that another process has stored', async () => {
    const conference = new Conference({ autoCreate: false });
    conference.store.rooms.set(ROOM, { number: ROOM, name: 'Stored', createdAt: 0 });

    expect((await conference.join('Ann')).room.name).toBe('Stored');
  });

  it('counts those who are still joining as seats', async () => {
    const conference = new Conference({ maxParticipants: 2 });
    const results = await Promise.allSettled([
      conference.join('Ann'),
      conference.join('Bob'),
      conference.join('Cid'),
    ]);

    expect(results.map((result) => result.status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
    expect(results[2]).toMatchObject({ reason: { code: 'ROOM_FULL' } });
  });

  it('gives a seat back when the media cannot be had, and does not call the sink', async () => {
    const conference = new Conference({ maxParticipants: 1 });
    const sink = new RecordingSink();
    conference.media.failure = new Error('no worker');
    await expect(conference.join('Ann', {}, sink)).rejects.toMatchObject({
      code: 'MEDIA_UNAVAILABLE',
    });
    expect(sink.endings).toEqual([]);
    expect(conference.rooms.list()).toEqual([]);
    conference.media.failure = undefined;

    expect((await conference.join('Bob')).state).toBe('joining');
  });

  it('asks for the PIN of a room', async () => {
    const conference = new Conference();
    await conference.rooms.create({ number: ROOM, guestPin: '1234', hostPin: '99' });

    await expect(conference.join('Ann')).rejects.toMatchObject({ code: 'FORBIDDEN' });
    expect((await conference.join('Ann', { pin: '1234' })).role).toBe('guest');
  });

  it('cleans names and never shows an empty one', async () => {
    const conference = new Conference();
    const names = [' Ann\u0000\n  B ', '', '\u202e\u0007', 'x'.repeat(300)];
    const members = await Promise.all(names.map((name) => conference.join(name)));
    const phone = await conference.join('', { kind: 'phone' });

    expect(members.map((member) => member.name)).toEqual([
      'Ann B',
      'Guest',
      'Guest',
      'x'.repeat(64),
    ]);
    expect(phone.name).toBe('Phone');
  });

  it('closes the media that comes too late for who was joining', async () => {
    const conference = new Conference();
    let open = (): void => undefined;
    conference.media.gate = new Promise((resolve) => (open = resolve));
    const joining = conference.join('Ann');
    const refused = expect(joining).rejects.toMatchObject({ code: 'MEDIA_UNAVAILABLE' });
    await conference.clock.advanceAsync(0);
    await conference.rooms.delete(ROOM);
    open();
    await refused;

    expect(conference.media.openRooms).toEqual([]);
    expect(conference.rooms.list()).toEqual([]);
  });
});

describe('rooms of the API', () => {
  it('stay when their meeting is over, without media', async () => {
    const conference = new Conference();
    const room = await conference.rooms.create({ number: ROOM, name: 'Board' });
    const { member } = await conference.enter('Ann');
    expect(room.view()).toMatchObject({ participants: 1, startedAt: expect.any(String) });
    await member.leave('left');
    await conference.clock.advanceAsync(0);

    expect(conference.rooms.get(ROOM)).toBe(room);
    expect(room.view()).toMatchObject({ participants: 0, name: 'Board', persistent: true });
    expect(room.view().startedAt).toBeUndefined();
    expect(conference.media.openRooms).toEqual([]);
    await conference.enter('Bob');
    expect(conference.media.openRooms).toHaveLength(1);
  });

  it('are there again after a restart', async () => {
    const before = new Conference();
    await before.rooms.create({ number: ROOM, name: 'Board', maxParticipants: 5 });
    const after = new Conference();
    for (const [number, room] of before.store.rooms) after.store.rooms.set(number, room);
    await after.rooms.load();
    await after.rooms.load();

    expect(after.rooms.list().map((room) => room.view())).toMatchObject([
      { number: ROOM, name: 'Board', maxParticipants: 5 },
    ]);
  });

  it('appear once Redis is back, and the meetings of meanwhile go on', async () => {
    const conference = new Conference();
    const { member, sink } = await conference.enter('Ann');
    conference.store.rooms.set(ROOM, { number: ROOM, name: 'Stored', createdAt: 0 });
    const other = '2000' as RoomNumber;
    conference.store.rooms.set(other, { number: other, name: 'Board', createdAt: 0 });
    await conference.rooms.load();
    const board = conference.rooms.get(other);
    await conference.rooms.load();

    expect(board?.name).toBe('Board');
    expect(conference.rooms.get(other)).toBe(board);
    expect(conference.rooms.get(ROOM)).toBe(member.room);
    expect([member.state, sink.endings]).toEqual(['joined', []]);
  });

  it('do not appear any more while the server stops', async () => {
    const conference = new Conference();
    conference.store.rooms.set(ROOM, { number: ROOM, name: 'Stored', createdAt: 0 });
    const loading = conference.rooms.load();
    await conference.rooms.shutdown();
    await loading;

    expect(conference.rooms.list()).toEqual([]);
  });

  it('have numbers of their own: one that exists is refused, none given finds one', async () => {
    const conference = new Conference();
    await conference.rooms.create({ number: ROOM });

    await expect(conference.rooms.create({ number: ROOM })).rejects.toMatchObject({
      code: 'ROOM_EXISTS',
    });
    expect((await conference.rooms.create({})).number).toMatch(/^[1-9][0-9]{8}$/);
  });

  it('change and tell those who are in', async () => {
    const conference = new Conference();
    await conference.rooms.create({ number: ROOM, hostPin: '11', maxParticipants: 9 });
    const { sink } = await conference.enter('Ann');
    await conference.rooms.update(ROOM, { name: 'New', hostPin: null });

    expect(sink.events).toMatchObject([
      { type: 'room-updated', room: { name: 'New', hostPinSet: false, maxParticipants: 9 } },
    ]);
    expect(conference.store.rooms.get(ROOM)).toEqual({
      number: ROOM,
      name: 'New',
      createdAt: conference.clock.wallTime(),
      maxParticipants: 9,
    });
  });

  it('are gone with their meeting when they are deleted', async () => {
    const conference = new Conference();
    await conference.rooms.create({ number: ROOM });
    const { sink } = await conference.enter('Ann');
    await conference.rooms.delete(ROOM);

    expect(sink.endings).toEqual(['room-ended']);
    expect(conference.media.openRooms).toEqual([]);
    expect(conference.store.rooms.size).toBe(0);
    await expect(conference.rooms.delete(ROOM)).rejects.toMatchObject({ code: 'ROOM_NOT_FOUND' });
  });
});

describe('the manager', () => {
  it('counts rooms with somebody in them and members by kind', async () => {
    const conference = new Conference();
    await conference.rooms.create({ number: '7' as RoomNumber });
    await conference.enter('Ann');
    await conference.enter('Bob', { kind: 'phone' });
    await conference.join('joining');

    expect(conference.rooms.counts()).toEqual({ rooms: 1, browser: 1, phone: 1 });
  });

  it('tells everybody at shutdown, closes all and lets nobody in any more', async () => {
    const conference = new Conference();
    const ann = await conference.enter('Ann');
    const bob = await conference.enter('Bob', { room: '2' as RoomNumber, kind: 'phone' });
    await Promise.all([conference.rooms.shutdown(), conference.rooms.shutdown()]);

    expect([ann.sink.endings, bob.sink.endings]).toEqual([
      ['server-shutdown'],
      ['server-shutdown'],
    ]);
    expect(conference.media.openRooms).toEqual([]);
    expect(conference.clock.pendingTimers).toBe(0);
    await expect(conference.join('Cid')).rejects.toMatchObject({ code: 'SHUTTING_DOWN' });
    await expect(conference.rooms.create({})).rejects.toMatchObject({ code: 'SHUTTING_DOWN' });
  });

  it('takes media that fails during the shutdown for part of it', async () => {
    const conference = new Conference();
    const phone = await conference.enter('Ann', { kind: 'phone' });
    const stopped = conference.rooms.shutdown();
    conference.media.rooms[0]?.events.emit('failed', 'the media worker died');
    await stopped;

    expect(phone.sink.endings).toEqual(['server-shutdown']);
    expect(conference.log.slice(-2)).toEqual([
      'left Ann server-shutdown',
      `ended ${ROOM} server-shutdown`,
    ]);
    expect(conference.errors).toEqual([]);
  });
});
