import { AppError, toError } from '../../base/index.ts';

/**
 * mediasoup says by the kind of error whose fault it is: a TypeError or an UnsupportedError means
 * parameters that the browser sent, a NotFoundError something that closed meanwhile.
 */
export function toAppError(error: unknown, action: string): AppError {
  if (error instanceof AppError) return error;
  const cause = toError(error);
  const message = `${action}: ${cause.message}`;
  switch (cause.name) {
    case 'TypeError':
    case 'UnsupportedError':
      return new AppError('BAD_REQUEST', message, { cause });
    case 'NotFoundError':
      return new AppError('INVALID_STATE', message, { cause });
    case 'WorkerClosedError':
      return new AppError('MEDIA_UNAVAILABLE', message, { cause });
    default:
      return new AppError('INTERNAL', message, { cause });
  }
}

/**
 * The same for requests whose every field is the browser's: what the worker itself refuses there
 * (an SSRC or a MID used twice) it reports as a plain Error, and that is the browser's fault too.
 */
export function toRequestError(error: unknown, action: string): AppError {
  const mapped = toAppError(error, action);

  return mapped.code === 'INTERNAL'
    ? new AppError('BAD_REQUEST', mapped.message, { cause: mapped.cause })
    : mapped;
}
