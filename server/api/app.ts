import { createServer as createHttpServer } from 'node:http';
import type { Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import swagger from '@fastify/swagger';
import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import Fastify from 'fastify';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { Logger } from '../../base/index.ts';
import type { TlsFiles } from '../config.ts';
import type { CallKeys } from '../call-keys.ts';
import type { CallTransfers } from '../call-transfer.ts';
import type { CallQualities, CdrBook } from '../cdrs/index.ts';
import type { CallTraces } from '../ports.ts';
import type { AccountBook } from '../accounts/index.ts';
import type { RoomManager } from '../room-manager.ts';
import type { TrunkBook } from '../trunks/index.ts';
import type { DialOut } from '../dial-out.ts';
import { accountRoutes } from './account-routes.ts';
import { dialOutRoutes } from './dial-out-routes.ts';
import { requireApiKey } from './authentication.ts';
import { callRoutes } from './call-routes.ts';
import { cdrRoutes } from './cdr-routes.ts';
import { mapErrors } from './errors.ts';
import { healthRoutes } from './health-routes.ts';
import type { HealthDeps } from './health-routes.ts';
import { parseNumber, roomRoutes } from './room-routes.ts';
import { trunkRoutes } from './trunk-routes.ts';
import { serveWebApp } from './web-app.ts';

export interface AppDeps extends HealthDeps {
  rooms: RoomManager;
  calls?: CallTraces;
  transfers?: CallTransfers;
  keys?: CallKeys;
  qualities?: CallQualities;
  cdrs?: Pick<CdrBook, 'find'>;
  accounts?: AccountBook;
  dialOut?: DialOut;
  trunks?: TrunkBook;
  apiKey: string;
  logger: Logger;
  version: string;
  tls?: TlsFiles;
  /** Where the web build is; without it the pages say that it is missing. */
  webRoot?: string;
  /** Called for each API request without the right key. */
  onRefused?: () => void;
}

const MAX_BODY_BYTES = 65_536;
const REQUEST_TIMEOUT_MS = 30_000;

/** The HTTP side of the server, not yet listening; `app.server` is where socket.io attaches. */
export async function createApp(deps: AppDeps): Promise<FastifyInstance> {
  const logger = deps.logger.child({ tag: 'http' });
  const app = Fastify({
    logger: false,
    bodyLimit: MAX_BODY_BYTES,
    // A key that no schema names is a mistake of the caller, which dropping it would hide.
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false } },
    forceCloseConnections: true,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 128 },
    serverFactory: (handler) => createServer(handler, deps.tls),
  }).withTypeProvider<TypeBoxTypeProvider>();
  mapErrors(app, logger);
  acceptEmptyJson(app);
  await app.register(helmet, helmetOptions(deps.tls !== undefined));
  await app.register(rateLimit, { global: false });
  await app.register(swagger, { openapi: openapi(deps.version) });
  await app.register(swaggerUi, { routePrefix: '/docs' });
  await app.register(healthRoutes(deps));
  await app.register(
    async (api) => {
      api.addHook(
        'onRequest',
        requireApiKey(api, deps.apiKey, deps.onRefused ?? (() => undefined)),
      );
      await api.register(roomRoutes(deps.rooms));
      if (deps.calls !== undefined) {
        await api.register(callRoutes(deps.calls, deps.transfers, deps.qualities, deps.keys));
      }
      if (deps.cdrs !== undefined) {
        await api.register(cdrRoutes(deps.cdrs, (text) => parseNumber(text, 'BAD_REQUEST')));
      }
      if (deps.trunks !== undefined) {
        const toNumber = (text: string) => parseNumber(text, 'BAD_REQUEST');
        await api.register(trunkRoutes(deps.trunks, toNumber));
      }
      if (deps.accounts !== undefined) await api.register(accountRoutes(deps.accounts));
      if (deps.dialOut !== undefined) {
        await api.register(dialOutRoutes(deps.dialOut, (text) => parseNumber(text)));
      }
    },
    { prefix: '/api/v1' },
  );
  await serveWebApp(app, deps.webRoot);
  app.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? '(none)';
    logger.debug({ method: request.method, route, status: reply.statusCode }, 'answered');
    done();
  });

  return app;
}

type Handler = Parameters<typeof createHttpServer>[1];

function createServer(handler: Handler, tls: TlsFiles | undefined): Server {
  const timeouts = { requestTimeout: REQUEST_TIMEOUT_MS };
  if (tls === undefined) return createHttpServer(timeouts, handler);

  // An https.Server is used like an http.Server by everything here; only its class differs.
  return createHttpsServer({ ...timeouts, ...tls }, handler);
}

/** Many clients label every request as JSON, also a DELETE without a body. */
function acceptEmptyJson(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser<string>(
    'application/json',
    { parseAs: 'string' },
    (request: FastifyRequest, body, done) => {
      if (body === '') {
        done(null, undefined);

        return;
      }
      void parse(request, body, done);
    },
  );
}

/** What the web app and swagger-ui need, and nothing else. Calls need WebSockets and media blobs. */
function helmetOptions(secure: boolean): Parameters<typeof helmet>[1] {
  return {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'self'"],
        baseUri: ["'none'"],
        objectSrc: ["'none'"],
        frameAncestors: ["'self'"],
        formAction: ["'self'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'", "'unsafe-inline'"],
        imgSrc: ["'self'", 'data:', 'blob:'],
        fontSrc: ["'self'", 'data:'],
        mediaSrc: ["'self'", 'blob:', 'mediastream:'],
        workerSrc: ["'self'", 'blob:'],
        connectSrc: ["'self'", 'ws:', 'wss:'],
      },
    },
    // Both mean something over TLS alone; browsers warn of them on plain HTTP.
    strictTransportSecurity: secure,
    crossOriginOpenerPolicy: secure,
    originAgentCluster: secure,
  };
}

function openapi(version: string): NonNullable<FastifyDynamicSwaggerOptions['openapi']> {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Parley',
      description: 'Rooms in which SIP phones and browsers meet.',
      version,
    },
    components: { securitySchemes: { apiKey: { type: 'http', scheme: 'bearer' } } },
    tags: [
      { name: 'rooms', description: 'Rooms and who is in them' },
      { name: 'calls', description: 'Calls, their SIP messages, calls out of rooms' },
      { name: 'accounts', description: 'Phones that may register and call' },
      { name: 'trunks', description: 'Providers and PBXs' },
      { name: 'health', description: 'State and figures of the server' },
    ],
  };
}
