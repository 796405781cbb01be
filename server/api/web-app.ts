import { existsSync } from 'node:fs';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';
import { AppError } from '../../base/index.ts';

/** The pages of the web app; all are one document that looks at its own address. */
const PAGES = ['/', '/room/:number', '/admin'];

/** Serves the web build. Its assets carry a hash of their content in their names, so they never change. */
export async function serveWebApp(app: FastifyInstance, root: string | undefined): Promise<void> {
  const built = root !== undefined && existsSync(join(root, 'index.html'));
  if (built) {
    await app.register(fastifyStatic, {
      root,
      index: false,
      wildcard: true,
      cacheControl: false,
      setHeaders: (reply, path) => {
        const immutable = path.startsWith(join(root, 'assets'));
        reply.header(
          'cache-control',
          immutable ? 'public, max-age=31536000, immutable' : 'no-cache',
        );
      },
    });
  }
  for (const page of PAGES) {
    app.get(page, { schema: { hide: true } }, (_request, reply) => {
      if (!built) throw new AppError('NOT_FOUND', 'the web app is not built: npm run build');

      return reply.sendFile('index.html');
    });
  }
}
