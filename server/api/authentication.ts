import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { AppError } from '../../base/index.ts';

/** Wrong keys an address may present in a minute before it is told to wait. */
const MAX_FAILURES = 20;

/**
 * Lets through who bears the key. Only failures are counted, so nobody behind the same address loses a
 * right key's access to a stranger's guesses.
 */
export function requireApiKey(
  app: FastifyInstance,
  apiKey: string,
  onRefused: () => void,
): (request: FastifyRequest) => Promise<void> {
  const countFailure = app.createRateLimit({ max: MAX_FAILURES, timeWindow: 60_000 });

  return async (request) => {
    if (isRightKey(request.headers.authorization, apiKey)) return;
    onRefused();
    const limit = await countFailure(request);
    if (!limit.isAllowed && limit.isExceeded) {
      throw new AppError('RATE_LIMITED', 'too many wrong keys, wait a minute');
    }
    throw new AppError('UNAUTHORIZED', 'send the API key: Authorization: Bearer <key>');
  };
}

/** Digests have one length, so the comparison takes one time, whatever was sent. */
function isRightKey(header: string | undefined, apiKey: string): boolean {
  const given = /^Bearer +(\S+)$/i.exec(header ?? '')?.[1];
  if (given === undefined) return false;
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

  return timingSafeEqual(digest(given), digest(apiKey));
}
