/** Who may enter and who may do what. Pure: it sees plain values and answers with a verdict. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { unreachable } from '../base/index.ts';
import type { ErrorCode, ParticipantId } from '../base/index.ts';
import type { DialTarget, ParticipantRole } from './ports.ts';

export type Verdict = { ok: true } | { ok: false; code: ErrorCode; message: string };

const ALLOWED: Verdict = { ok: true };

export interface Entrant {
  /** Set by whoever vouches for it (a signed link, the API); outranks PINs. */
  role?: ParticipantRole;
  pin?: string;
}

export interface RoomDoor {
  closed: boolean;
  /** Seats taken, those of participants still joining included. */
  seats: number;
  maxParticipants: number;
  hostPresent: boolean;
  locked: boolean;
  lobby: boolean;
  hostPin?: string;
  guestPin?: string;
}

export type Admission =
  | { ok: true; role: ParticipantRole; waits: boolean }
  | { ok: false; code: ErrorCode; message: string };

/**
 * Without a host PIN nobody can prove to be the host, so the first one who enters a room without a
 * host is it. A guest PIN closes the room to those who know neither. A locked room is closed to guests; one
 * with a lobby lets them wait, unless somebody vouches for them.
 */
export function admit(entrant: Entrant, door: RoomDoor): Admission {
  if (door.closed) return { ok: false, code: 'ROOM_CLOSED', message: 'the meeting has ended' };
  if (door.seats >= door.maxParticipants) {
    return { ok: false, code: 'ROOM_FULL', message: 'the room is full' };
  }
  if (entrant.role !== undefined) return { ok: true, role: entrant.role, waits: false };
  if (matches(entrant.pin, door.hostPin)) return { ok: true, role: 'host', waits: false };
  if (door.guestPin !== undefined && !matches(entrant.pin, door.guestPin)) {
    return { ok: false, code: 'FORBIDDEN', message: 'the room asks for a PIN' };
  }
  if (door.hostPin === undefined && !door.hostPresent) {
    return { ok: true, role: 'host', waits: false };
  }
  if (door.locked && !door.lobby) {
    return { ok: false, code: 'ROOM_LOCKED', message: 'the room is locked' };
  }

  return { ok: true, role: 'guest', waits: door.lobby };
}

/** A room without a guest PIN is open to all. */
export function knowsPin(
  pin: string | undefined,
  door: Pick<RoomDoor, 'hostPin' | 'guestPin'>,
): boolean {
  return door.guestPin === undefined || matches(pin, door.guestPin) || matches(pin, door.hostPin);
}

export type RoomAction = 'mute' | 'unmute' | 'remove' | 'rename' | 'let-in' | 'lock' | 'end-room';

export interface Actor {
  id: ParticipantId;
  role: ParticipantRole;
}

/** `target` is left out when the action concerns the room as a whole. */
export function may(actor: Actor, action: RoomAction, target?: { id: ParticipantId }): Verdict {
  switch (action) {
    case 'mute':
    case 'remove':
    case 'rename':
      return target?.id === actor.id ? ALLOWED : hostOnly(actor);
    case 'unmute':
      if (target?.id === actor.id) return ALLOWED;

      return refuse('nobody but the participant itself may open its microphone');
    case 'let-in':
    case 'lock':
    case 'end-room':
      return hostOnly(actor);
    default:
      return unreachable(action);
  }
}

/** Who wants somebody called. */
export interface Caller {
  role: ParticipantRole;
  /** By a PIN or a password: the first one in a room without a host PIN is its host, but unknown. */
  isProven: boolean;
}

/** Calls to our own accounts cost nothing; all others are made at the expense of who runs the server. */
export function mayCallOut(caller: Caller, kind: DialTarget['kind']): Verdict {
  if (kind === 'account') return ALLOWED;
  if (caller.role !== 'host') return refuse('only a host may call outside');
  if (caller.isProven) return ALLOWED;

  return {
    ok: false,
    code: 'UNAUTHORIZED',
    message: 'a host has to prove who it is to call outside',
  };
}

function hostOnly(actor: Actor): Verdict {
  return actor.role === 'host' ? ALLOWED : refuse('only a host may do that');
}

function refuse(message: string): Verdict {
  return { ok: false, code: 'FORBIDDEN', message };
}

/** In constant time, so that the answer's delay tells nothing of the PIN. */
function matches(given: string | undefined, wanted: string | undefined): boolean {
  if (given === undefined || wanted === undefined) return false;
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

  return timingSafeEqual(digest(given), digest(wanted));
}
