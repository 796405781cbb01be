import { describe, expect, it } from '@jest/globals';
import type { ParticipantId } from '../../base/index.ts';
import { admit, may } from '../../server/room-policy.ts';
import type { RoomDoor } from '../../server/room-policy.ts';

const door: RoomDoor = {
  closed: false,
  seats: 0,
  maxParticipants: 3,
  hostPresent: false,
  locked: false,
  lobby: false,
};
const host = { id: 'p_h' as ParticipantId, role: 'host' as const };
const guest = { id: 'p_g' as ParticipantId, role: 'guest' as const };

describe('admit', () => {
  it('makes the first one host when nobody can prove to be it', () => {
    expect(admit({}, door)).toMatchObject({ ok: true, role: 'host' });
    expect(admit({}, { ...door, seats: 1, hostPresent: true })).toMatchObject({
      ok: true,
      role: 'guest',
    });
  });

  it('makes nobody host without the host PIN when there is one', () => {
    expect(admit({}, { ...door, hostPin: '1234' })).toMatchObject({ ok: true, role: 'guest' });
    expect(admit({ pin: '1234' }, { ...door, hostPin: '1234' })).toMatchObject({
      ok: true,
      role: 'host',
    });
  });

  it('closes a room with a guest PIN to those who know neither PIN', () => {
    const closed = { ...door, guestPin: '11', hostPin: '22' };

    expect(admit({}, closed)).toMatchObject({ ok: false, code: 'FORBIDDEN' });
    expect(admit({ pin: '33' }, closed)).toMatchObject({ ok: false, code: 'FORBIDDEN' });
    expect(admit({ pin: '11' }, closed)).toMatchObject({ ok: true, role: 'guest' });
    expect(admit({ pin: '22' }, closed)).toMatchObject({ ok: true, role: 'host' });
  });

  it('believes a role that is vouched for', () => {
    expect(admit({ role: 'guest' }, door)).toMatchObject({ ok: true, role: 'guest' });
    expect(admit({ role: 'host' }, { ...door, guestPin: '1' })).toMatchObject({
      ok: true,
      role: 'host',
    });
  });

  it('refuses when every seat is taken, whoever asks', () => {
    const full = { ...door, seats: 3 };

    expect(admit({ role: 'host' }, full)).toMatchObject({ ok: false, code: 'ROOM_FULL' });
  });

  it('refuses when the meeting has ended', () => {
    expect(admit({}, { ...door, closed: true })).toMatchObject({ ok: false, code: 'ROOM_CLOSED' });
  });
});

describe('a locked room', () => {
  const locked = { ...door, locked: true, hostPresent: true, hostPin: '22' };

  it('is closed to guests and open to hosts', () => {
    expect(admit({}, locked)).toMatchObject({ ok: false, code: 'ROOM_LOCKED' });
    expect(admit({ pin: '22' }, locked)).toMatchObject({ ok: true, role: 'host' });
    expect(admit({ role: 'guest' }, locked)).toMatchObject({ ok: true });
  });

  it('lets guests wait when it has a lobby', () => {
    expect(admit({}, { ...locked, lobby: true })).toMatchObject({ ok: true, waits: true });
  });
});

describe('a room with a lobby', () => {
  const lobby = { ...door, lobby: true };

  it('lets guests wait, but not hosts nor those whom somebody vouches for', () => {
    expect(admit({}, { ...lobby, hostPresent: true })).toMatchObject({
      role: 'guest',
      waits: true,
    });
    expect(admit({}, lobby)).toMatchObject({ role: 'host', waits: false });
    expect(admit({ role: 'guest' }, lobby)).toMatchObject({ role: 'guest', waits: false });
  });

  it('asks for the PIN first', () => {
    expect(admit({ pin: '1' }, { ...lobby, guestPin: '11' })).toMatchObject({ code: 'FORBIDDEN' });
  });
});

describe('may', () => {
  it('lets everybody mute, rename and remove itself', () => {
    for (const action of ['mute', 'unmute', 'rename', 'remove'] as const) {
      expect(may(guest, action, guest).ok).toBe(true);
    }
  });

  it('lets hosts alone mute and remove others and end the meeting', () => {
    expect(may(host, 'mute', guest).ok).toBe(true);
    expect(may(host, 'remove', guest).ok).toBe(true);
    expect(may(host, 'end-room').ok).toBe(true);
    expect(may(guest, 'mute', host).ok).toBe(false);
    expect(may(guest, 'remove', host).ok).toBe(false);
    expect(may(guest, 'end-room').ok).toBe(false);
  });

  it('lets nobody open the microphone of another', () => {
    expect(may(host, 'unmute', guest).ok).toBe(false);
  });
});
