import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Participant } from '../../../server/participant.ts';
import type { FakePhoneLeg } from '../../support/fake-media-engine.ts';
import { microtasks } from '../../support/microtasks.ts';
import { Conference, ROOM } from '../room-harness.ts';

let conference: Conference;
let host: Participant;
let guest: Participant;

beforeEach(async () => {
  conference = new Conference();
  await conference.rooms.create({ number: ROOM, hostPin: '99', guestPin: '11' });
  host = (await conference.enter('host', { kind: 'phone', role: 'host' })).member;
  guest = (await conference.enter('guest', { kind: 'phone', pin: '11' })).member;
});

function legOf(member: Participant): FakePhoneLeg {
  return member.phoneLeg as FakePhoneLeg;
}

/** What the phone is told since. */
async function press(member: Participant, keys: string): Promise<string[]> {
  const { played, events } = legOf(member);
  const before = played.length;
  for (const key of keys) events.emit('dtmf', key, 100);
  for (let i = 0; i < 5; i++) await microtasks();

  return played.slice(before).map(({ sounds }) => conference.voice.words(sounds));
}

describe('keys of every phone', () => {
  it('*6 mutes and unmutes who pressed it, and says so', async () => {
    expect(await press(guest, '*6')).toEqual(['muted']);
    expect([guest.muted, legOf(guest).muted, host.muted]).toEqual([true, true, false]);
    expect(await press(guest, '*6')).toEqual(['unmuted']);
    expect([guest.muted, legOf(guest).muted]).toEqual([false, false]);
  });

  it('*5 raises the hand and lowers it', async () => {
    expect(await press(guest, '*5')).toEqual(['hand-raised']);
    expect([guest.handRaised, host.handRaised]).toEqual([true, false]);
    expect(await press(guest, '*5')).toEqual(['hand-lowered']);
    expect(guest.handRaised).toBe(false);
  });

  it('*1 says how many are here, and who is alone that nobody else is', async () => {
    expect(await press(guest, '*1')).toEqual(['there-are 2 participants']);
    await host.leave('left');
    expect(await press(guest, '*1')).toEqual(['only-one']);
  });

  it('*4 and *7 make the others louder and softer for it alone, 3 dB at a time, 12 at most', async () => {
    for (const gain of [3, 6, 9, 12]) {
      expect(await press(guest, '*4')).toEqual([]);
      expect(legOf(guest).hearingGain).toBe(gain);
    }
    expect(await press(guest, '*4')).toEqual(['invalid']);
    expect(legOf(guest).hearingGain).toBe(12);
    for (const gain of [9, 6, 3, 0, -3, -6, -9, -12]) {
      expect(await press(guest, '*7')).toEqual([]);
      expect(legOf(guest).hearingGain).toBe(gain);
    }
    expect(await press(guest, '*7')).toEqual(['invalid']);
    expect([legOf(guest).hearingGain, legOf(host).hearingGain]).toEqual([-12, 0]);
  });

  it('** tells the keys, to a host those of hosts too', async () => {
    expect(await press(guest, '**')).toEqual(['help']);
    expect(await press(host, '**')).toEqual(['help help-host']);
  });

  it('an unknown one gets a beep', async () => {
    expect(await press(guest, '*0')).toEqual(['invalid']);
  });
});

describe('keys of hosts', () => {
  it('*2 locks the room and opens it', async () => {
    expect(await press(host, '*2')).toEqual(['locked-now']);
    await expect(conference.join('late', { pin: '11' })).rejects.toMatchObject({
      code: 'ROOM_LOCKED',
    });
    expect(await press(host, '*2')).toEqual(['unlocked-now']);
    await expect(conference.join('late', { pin: '11' })).resolves.toBeDefined();
  });

  it('*3 mutes all guests and no host', async () => {
    const { member: browser } = await conference.enter('browser', { pin: '11' });
    const { member: second } = await conference.enter('second', { kind: 'phone', role: 'host' });
    expect(await press(host, '*3')).toEqual(['all-muted']);
    expect([guest, browser, second, host].map(({ muted }) => muted)).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  it('*8 lets in all who wait', async () => {
    await conference.rooms.update(ROOM, { lobby: true });
    const { member: waiting } = await conference.enter('waits', { kind: 'phone', pin: '11' });
    expect(waiting.state).toBe('lobby');
    expect(legOf(waiting).music).toBe(conference.voice.music);
    expect(await press(host, '*8')).toEqual([]);
    expect(waiting.state).toBe('joined');
    expect(legOf(waiting).music).toEqual([]);
  });

  it('*9 ends the meeting for all', async () => {
    expect(await press(host, '*9')).toEqual([]);
    expect([host.state, guest.state]).toEqual(['left', 'left']);
    expect(conference.log).toContain(`ended ${ROOM} room-ended`);
  });

  it.each(['*2', '*3', '*8', '*9'])('%s of a guest is refused and does nothing', async (keys) => {
    expect(await press(guest, keys)).toEqual(['invalid']);
    expect([guest.room.locked, host.muted, guest.muted]).toEqual([false, false, false]);
    expect([host.state, guest.state]).toEqual(['joined', 'joined']);
  });

  it('keys of who waits in the lobby do nothing', async () => {
    await conference.rooms.update(ROOM, { lobby: true });
    const { member: waiting } = await conference.enter('waits', { kind: 'phone', pin: '11' });
    expect(await press(waiting, '*6')).toEqual([]);
    expect(waiting.muted).toBe(false);
  });
});
