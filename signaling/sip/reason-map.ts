/**
 * Why a call ended, in SIP's words: the one map from CloseReason and AppError to a final status (for a
 * call that was not answered yet) and a Reason header (RFC 3326, for the BYE of one that was).
 */
import type { ErrorCode } from '../../base/index.ts';
import { closeReasonInfo, type CloseReason } from '../../server/index.ts';
import type { CallEnd } from './ua/index.ts';

interface SipReason {
  /** Final status of an INVITE that was not answered yet. */
  readonly status: number;
  /** ITU-T Q.850 cause, what gateways to the telephone network understand. */
  readonly cause: number;
}

const NORMAL_CLEARING = 16;
const USER_BUSY = 17;
const NO_ANSWER = 19;
const CALL_REJECTED = 21;
const TEMPORARY_FAILURE = 41;
const BEARER_NOT_AVAILABLE = 58;
const RECOVERY_ON_TIMER_EXPIRY = 102;
const PROTOCOL_ERROR = 111;

const CLOSE_REASONS: Readonly<Record<CloseReason, SipReason>> = {
  left: { status: 487, cause: NORMAL_CLEARING },
  cancelled: { status: 487, cause: NORMAL_CLEARING },
  disconnected: { status: 480, cause: TEMPORARY_FAILURE },
  replaced: { status: 487, cause: NORMAL_CLEARING },
  kicked: { status: 603, cause: CALL_REJECTED },
  'room-ended': { status: 480, cause: NORMAL_CLEARING },
  'room-full': { status: 486, cause: USER_BUSY },
  rejected: { status: 403, cause: CALL_REJECTED },
  'pin-refused': { status: 403, cause: CALL_REJECTED },
  'not-dialled': { status: 480, cause: NO_ANSWER },
  'not-acceptable': { status: 488, cause: BEARER_NOT_AVAILABLE },
  'media-timeout': { status: 480, cause: RECOVERY_ON_TIMER_EXPIRY },
  'media-failed': { status: 503, cause: TEMPORARY_FAILURE },
  'no-ack': { status: 408, cause: RECOVERY_ON_TIMER_EXPIRY },
  'protocol-error': { status: 400, cause: PROTOCOL_ERROR },
  'internal-error': { status: 500, cause: TEMPORARY_FAILURE },
  'server-shutdown': { status: 503, cause: TEMPORARY_FAILURE },
};

const ERROR_STATUS: Readonly<Record<ErrorCode, number>> = {
  BAD_REQUEST: 400,
  UNAUTHORIZED: 403,
  FORBIDDEN: 403,
  ROOM_NOT_FOUND: 404,
  PARTICIPANT_NOT_FOUND: 404,
  ACCOUNT_NOT_FOUND: 404,
  TRUNK_NOT_FOUND: 404,
  NOT_FOUND: 404,
  ROOM_EXISTS: 500,
  ACCOUNT_EXISTS: 500,
  TRUNK_EXISTS: 500,
  NOT_REGISTERED: 480,
  INVALID_STATE: 500,
  ROOM_LOCKED: 403,
  ROOM_CLOSED: 480,
  PROTOCOL_VERSION: 500,
  RATE_LIMITED: 503,
  ROOM_FULL: 486,
  MEDIA_UNAVAILABLE: 503,
  SHUTTING_DOWN: 503,
  INTERNAL: 500,
};

const CLOSE_REASON_OF_END: Readonly<Record<CallEnd['cause'], CloseReason>> = {
  bye: 'left',
  cancel: 'cancelled',
  rejected: 'rejected',
  'no-ack': 'no-ack',
  'bad-answer': 'not-acceptable',
  lost: 'disconnected',
  expired: 'disconnected',
};

/**
 * Causes that tell of a call that was lost, not left: Q.850 network out of order, temporary failure,
 * recovery on timer expiry and the like; statuses of the same meaning.
 */
const LOST: ReadonlyMap<string, ReadonlySet<number>> = new Map([
  ['q.850', new Set([27, 38, 41, 42, 102])],
  ['sip', new Set([408, 500, 503, 504])],
]);

/** What the end of a call means for its participant; the Reason of a BYE counts (RFC 3326 2). */
export function closeReasonOf({ cause, message }: CallEnd): CloseReason {
  const isLost = message?.headers.getAll('Reason').some(tellsOfLoss) === true;

  return cause === 'bye' && isLost ? 'disconnected' : CLOSE_REASON_OF_END[cause];
}

function tellsOfLoss(value: string): boolean {
  const [, protocol = '', cause] =
    /^\s*([^\s;]+)[^"]*?;\s*cause\s*=\s*(\d{1,3})\b/i.exec(value) ?? [];

  return LOST.get(protocol.toLowerCase())?.has(Number(cause)) === true;
}

/** The final status for a call that ends before it was answered. */
export function rejectionStatus(reason: CloseReason): number {
  return CLOSE_REASONS[reason].status;
}

/** The final status for a call that could not be let in. */
export function errorStatus(code: ErrorCode): number {
  return ERROR_STATUS[code];
}

/** The value of a BYE's Reason header. */
export function reasonHeader(reason: CloseReason): string {
  return `Q.850;cause=${CLOSE_REASONS[reason].cause};text="${closeReasonInfo(reason).text}"`;
}
