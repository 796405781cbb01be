import type { FastifyError, FastifyInstance } from 'fastify';
import { AppError, toError } from '../../base/index.ts';
import type { Logger } from '../../base/index.ts';

/** Every answer that is an error has the one shape, whoever made it: we, the schemas or the framework. */
export function mapErrors(app: FastifyInstance, logger: Logger): void {
  app.setErrorHandler(async (thrown, request, reply) => {
    const error = toAppError(thrown);
    if (error.status >= 500 && error.code !== 'SHUTTING_DOWN') {
      const route = request.routeOptions.url ?? '(none)';
      logger.error({ err: toError(thrown), method: request.method, route }, 'request failed');
    }
    if (error.code === 'UNAUTHORIZED') reply.header('www-authenticate', 'Bearer');
    if (error.code === 'RATE_LIMITED') reply.header('retry-after', '60');
    await reply.code(error.status).send(errorBody(error));
  });
  app.setNotFoundHandler(async (request, reply) => {
    const path = request.url.split('?')[0] ?? '';
    const error = new AppError('NOT_FOUND', `nothing at ${request.method} ${path}`);
    await reply.code(error.status).send(errorBody(error));
  });
}

function errorBody(error: AppError): { error: { code: string; message: string } } {
  return { error: { code: error.code, message: error.message } };
}

/** A fault of ours keeps its text to itself: it goes into the log alone. */
function toAppError(thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown;
  const { statusCode, message } = toError(thrown) as FastifyError;
  if (statusCode === 429) return new AppError('RATE_LIMITED', message);
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return new AppError('BAD_REQUEST', message);
  }

  return new AppError('INTERNAL', 'an error in the server');
}
