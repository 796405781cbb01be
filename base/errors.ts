/**
 * The outcome that a caller, a browser or a REST client is told: a stable code, a text, an HTTP
 * status. Misuse of our own functions throws TypeError instead; a fault is whatever else is thrown.
 * `docs/errors.md` lists every code and a test keeps the two equal; retired codes are never reused.
 */
const ERROR_TABLE = {
  BAD_REQUEST: 400,
  UNAUTHORIZED: 401,
  FORBIDDEN: 403,
  ROOM_NOT_FOUND: 404,
  PARTICIPANT_NOT_FOUND: 404,
  ACCOUNT_NOT_FOUND: 404,
  TRUNK_NOT_FOUND: 404,
  NOT_FOUND: 404,
  ROOM_EXISTS: 409,
  ACCOUNT_EXISTS: 409,
  TRUNK_EXISTS: 409,
  NOT_REGISTERED: 409,
  INVALID_STATE: 409,
  ROOM_LOCKED: 403,
  ROOM_CLOSED: 410,
  PROTOCOL_VERSION: 426,
  RATE_LIMITED: 429,
  ROOM_FULL: 503,
  MEDIA_UNAVAILABLE: 503,
  SHUTTING_DOWN: 503,
  INTERNAL: 500,
} as const;

export type ErrorCode = keyof typeof ERROR_TABLE;

export const ERROR_CODES = Object.keys(ERROR_TABLE) as ErrorCode[];

export class AppError extends Error {
  override readonly name = 'AppError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  /** HTTP status of the code. */
  get status(): number {
    return ERROR_TABLE[this.code];
  }
}

/** Any thrown value as an Error, so that handlers need no guessing. */
export function toError(value: unknown): Error {
  return value instanceof Error ? value : new Error(String(value));
}

/** Marks a branch that the types say cannot be reached. */
export function unreachable(value: never): never {
  throw new TypeError(`unexpected value: ${String(value)}`);
}
