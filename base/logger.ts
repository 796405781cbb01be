import { pino, type DestinationStream, type LevelWithSilent } from 'pino';

/** Fields that identify what a line is about: callId, room, participant, ssrc … */
export type Bindings = Record<string, unknown>;

export interface Logger {
  child(bindings: Bindings): Logger;
  isLevelEnabled(level: LogLevel): boolean;
  trace(fields: Bindings, message: string): void;
  debug(fields: Bindings, message: string): void;
  info(fields: Bindings, message: string): void;
  warn(fields: Bindings, message: string): void;
  error(fields: Bindings, message: string): void;
  fatal(fields: Bindings, message: string): void;
}

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Wherever one of these names occurs in a line's fields, its value is replaced. */
const SECRET_FIELDS = [
  'password',
  'secret',
  'token',
  'apiKey',
  'pin',
  'hostPin',
  'guestPin',
  'authorization',
  'cookie',
  'ha1',
];

export interface LoggerOptions {
  level: LogLevel;
  /** Human-readable lines instead of JSON. */
  pretty?: boolean;
  /** Where lines go instead of stdout. */
  destination?: DestinationStream;
}

/** The root logger. Everything else gets a child with a `tag` of its own. */
export function createLogger(options: LoggerOptions): Logger {
  const base = {
    level: options.level satisfies LevelWithSilent,
    redact: {
      paths: SECRET_FIELDS.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]),
      censor: '[redacted]',
    },
  };
  if (options.destination !== undefined) return pino(base, options.destination);
  if (options.pretty === true) {
    return pino({
      ...base,
      transport: { target: 'pino-pretty', options: { ignore: 'pid,hostname', singleLine: true } },
    });
  }

  return pino(base);
}

/** A logger that writes nothing: for tests and for parts that are made without one. */
export const silentLogger: Logger = pino({ level: 'silent' });
