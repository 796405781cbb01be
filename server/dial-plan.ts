import type { RoomNumber } from '../base/index.ts';

/** The longest room number or name that can be dialled or created. */
export const MAX_ROOM_NUMBER_LENGTH = 64;
const MAX_PIN_LENGTH = 16;

/** Dialled when one wants to be asked for the room: never the number of a room. */
const RECEPTION = '0';

export type DialRefusal = 'empty' | 'too-long' | 'bad-characters' | 'bad-pin' | 'reserved';

export type DialResult =
  { ok: true; room: RoomNumber; pin?: string } | { ok: false; reason: DialRefusal };

/**
 * What the user part of a dialled URI, or the room field of a page, means: `<number>` or
 * `<number>*<pin>`. Upper case is folded, since people type it.
 */
export function dial(userPart: string): DialResult {
  const star = userPart.indexOf('*');
  const number = parseRoomNumber(star < 0 ? userPart : userPart.slice(0, star));
  if (!number.ok || star < 0) return number;
  const pin = userPart.slice(star + 1);
  if (!isPin(pin)) return { ok: false, reason: 'bad-pin' };

  return { ok: true, room: number.room, pin };
}

function parseRoomNumber(text: string): DialResult {
  if (text === '') return { ok: false, reason: 'empty' };
  if (text.length > MAX_ROOM_NUMBER_LENGTH) return { ok: false, reason: 'too-long' };
  const folded = text.toLowerCase();
  if (!/^[a-z0-9][a-z0-9-]*$/.test(folded)) return { ok: false, reason: 'bad-characters' };
  if (folded === RECEPTION) return { ok: false, reason: 'reserved' };

  return { ok: true, room: folded as RoomNumber };
}

export function isPin(text: string): boolean {
  return text.length <= MAX_PIN_LENGTH && /^[0-9]+$/.test(text);
}
