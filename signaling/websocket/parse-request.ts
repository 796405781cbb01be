import { Compile, type Validator } from 'typebox/compile';
import { AppError } from '../../base/index.ts';
import { PROTOCOL_VERSION, REQUESTS, type RequestMessage, type RequestName } from './protocol.ts';

export type ParsedRequest =
  | { ok: true; name: RequestName; message: RequestMessage<RequestName> }
  | { ok: false; error: AppError };

const VALIDATORS = new Map<string, Validator>(
  Object.entries(REQUESTS).map(([name, schema]) => [name, Compile(schema)]),
);

/** A message from the network as a typed request, or the verdict on it. */
export function parseRequest(name: unknown, message: unknown): ParsedRequest {
  const validator = typeof name === 'string' ? VALIDATORS.get(name) : undefined;
  if (validator === undefined) return bad('unknown request');
  // Before the schema: a page of another version may rightly use another one.
  if (name === 'join' && versionOf(message) !== PROTOCOL_VERSION) {
    return {
      ok: false,
      error: new AppError('PROTOCOL_VERSION', 'Parley was updated: please reload this page'),
    };
  }
  if (validator.Check(message)) {
    return { ok: true, name: name as RequestName, message: message as RequestMessage<RequestName> };
  }
  const [first] = validator.Errors(message);

  return bad(`${String(name)}${first?.instancePath ?? ''}: ${first?.message ?? 'malformed'}`);
}

function versionOf(message: unknown): unknown {
  return typeof message === 'object' && message !== null && 'version' in message
    ? message.version
    : undefined;
}

function bad(message: string): ParsedRequest {
  return { ok: false, error: new AppError('BAD_REQUEST', message.slice(0, 200)) };
}
