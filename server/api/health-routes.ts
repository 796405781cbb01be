import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { Health, Readiness } from './schemas.ts';

export interface HealthDeps {
  /** What is not up: empty when calls can be served. */
  missing: () => string[];
  /** What callers do without, though they are served. */
  warnings?: () => string[];
  metrics: { readonly contentType: string; text(): Promise<string> };
}

export function healthRoutes(deps: HealthDeps): FastifyPluginCallbackTypebox {
  return (app, _options, done) => {
    const tags = ['health'];
    app.get('/healthz', { schema: { tags, response: { 200: Health } } }, () => ({ status: 'ok' }));
    const response = { 200: Readiness, 503: Readiness };
    app.get('/readyz', { schema: { tags, response } }, async (_request, reply) => {
      const missing = deps.missing();
      const warnings = deps.warnings?.() ?? [];
      const ready = missing.length === 0;
      await reply.code(ready ? 200 : 503).send({
        status: ready ? ('ready' as const) : ('unready' as const),
        missing,
        ...(warnings.length > 0 && { warnings }),
      });
    });
    app.get('/metrics', { schema: { tags } }, async (_request, reply) => {
      await reply.type(deps.metrics.contentType).send(await deps.metrics.text());
    });
    done();
  };
}
