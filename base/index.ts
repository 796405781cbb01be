export { SystemClock } from './clock.ts';
export type { Clock, TimerHandle } from './clock.ts';
export { TimerSet } from './timer-set.ts';
export { TypedEmitter } from './typed-emitter.ts';
export type { EventMap } from './typed-emitter.ts';
export { createLogger, silentLogger, LOG_LEVELS } from './logger.ts';
export type { Bindings, Logger, LoggerOptions, LogLevel } from './logger.ts';
export { CloseStack } from './closeable.ts';
export type { Closeable } from './closeable.ts';
export { AppError, ERROR_CODES, toError, unreachable } from './errors.ts';
export type { ErrorCode } from './errors.ts';
export { newLegId, newParticipantId, randomToken } from './ids.ts';
export type {
  Branded,
  ConsumerId,
  LegId,
  ParticipantId,
  ProducerId,
  RoomNumber,
} from './ids.ts';
export { ByteReader, OutOfBoundsError } from './byte-reader.ts';
