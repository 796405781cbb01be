import { randomBytes } from 'node:crypto';

/** A string that the compiler does not let stand in for another kind of id. */
export type Branded<Name extends string> = string & { readonly __brand: Name };

/** The room's number or name as dialled: digits or `[a-z0-9-]`. */
export type RoomNumber = Branded<'RoomNumber'>;
export type ParticipantId = Branded<'ParticipantId'>;
/** One member's media, in media/. */
export type LegId = Branded<'LegId'>;
/** One published stream (microphone, camera …). */
export type ProducerId = Branded<'ProducerId'>;
/** One stream as one listener gets it. */
export type ConsumerId = Branded<'ConsumerId'>;

/** A random url-safe token of `bytes` × 8 bits. */
export function randomToken(bytes = 12): string {
  return randomBytes(bytes).toString('base64url');
}

export function newParticipantId(): ParticipantId {
  return `p_${randomToken()}` as ParticipantId;
}

export function newLegId(): LegId {
  return `l_${randomToken()}` as LegId;
}
