import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { TSchema } from 'typebox';
import type { RoomNumber } from '../../base/index.ts';
import type { TrunkBook, TrunkRequest } from '../trunks/index.ts';
import { SrtpPolicy } from './account-schemas.ts';
import { ErrorBody } from './schemas.ts';

const tags = ['trunks'];
const security = [{ apiKey: [] }];
const failures = { '4xx': ErrorBody, '5xx': ErrorBody };
const closed = { additionalProperties: false };
const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

const Name = Type.String({ pattern: '^[a-z0-9][a-z0-9-]{0,63}$' });
const Host = Type.String({ pattern: '^[A-Za-z0-9]([A-Za-z0-9.:-]{0,251}[A-Za-z0-9])?$' });
const Port = Type.Integer({ minimum: 1, maximum: 65_535 });
const Transport = Type.Enum(['udp', 'tcp', 'tls']);
const Username = Type.String({ pattern: '^[A-Za-z0-9._+-]{1,128}$' });
const Password = Type.String({ minLength: 1, maxLength: 256 });
const Addresses = Type.Array(Type.String({ maxLength: 64 }), { maxItems: 100 });
const Did = Type.String({ pattern: '^[A-Za-z0-9+*#_.()-]{1,64}$' });
const DidRoutes = Type.Array(
  Type.Object({ did: Did, room: Type.String({ maxLength: 64 }) }, closed),
  {
    maxItems: 1000,
  },
);
const MaxCalls = Type.Integer({ minimum: 0, maximum: 100_000 });

const shared = {
  transport: Type.Optional(Transport),
  register: Type.Optional(Type.Boolean()),
  allowedAddresses: Type.Optional(Addresses),
  didRoutes: Type.Optional(DidRoutes),
  video: Type.Optional(Type.Boolean({ description: 'Calls out are offered video.' })),
};

const CreateTrunkBody = Type.Object(
  {
    name: Name,
    host: Host,
    port: Type.Optional(Port),
    username: Type.Optional(Username),
    password: Type.Optional(Password),
    maxCalls: Type.Optional(MaxCalls),
    srtp: Type.Optional(SrtpPolicy),
    ...shared,
  },
  closed,
);

/** `null` takes a value away. */
const UpdateTrunkBody = Type.Object(
  {
    host: Type.Optional(Host),
    port: Type.Optional(nullable(Port)),
    username: Type.Optional(nullable(Username)),
    password: Type.Optional(nullable(Password)),
    maxCalls: Type.Optional(nullable(MaxCalls)),
    srtp: Type.Optional(nullable(SrtpPolicy)),
    ...shared,
  },
  closed,
);

const TrunkBody = Type.Object({
  name: Type.String(),
  host: Type.String(),
  port: Type.Optional(Type.Integer()),
  transport: Transport,
  username: Type.Optional(Type.String()),
  passwordSet: Type.Boolean(),
  register: Type.Boolean(),
  allowedAddresses: Type.Array(Type.String()),
  didRoutes: Type.Array(Type.Object({ did: Type.String(), room: Type.String() })),
  maxCalls: Type.Optional(Type.Integer()),
  srtp: Type.Optional(SrtpPolicy),
  video: Type.Optional(Type.Boolean()),
  createdAt: Type.String({ format: 'date-time' }),
  calls: Type.Integer(),
  status: Type.Object({
    state: Type.Enum(['unknown', 'up', 'down']),
    since: Type.Optional(Type.String({ format: 'date-time' })),
    registration: Type.Enum(['off', 'registering', 'registered', 'failed']),
    reason: Type.Optional(Type.String()),
  }),
});

const TrunkParams = Type.Object({ name: Type.String({ maxLength: 64 }) });

/** `/api/v1/trunks`; authentication is the caller's. */
export function trunkRoutes(
  trunks: TrunkBook,
  parseNumber: (text: string) => RoomNumber,
): FastifyPluginCallbackTypebox {
  type Body = Omit<TrunkRequest, 'didRoutes'> & { didRoutes?: { did: string; room: string }[] };
  const toRequest = ({ didRoutes, ...rest }: Body): TrunkRequest => ({
    ...rest,
    ...(didRoutes !== undefined && {
      didRoutes: didRoutes.map(({ did, room }) => ({ did, room: parseNumber(room) })),
    }),
  });

  return (app, _options, done) => {
    const list = { 200: Type.Array(TrunkBody), ...failures };
    app.get('/trunks', { schema: { tags, security, response: list } }, () => trunks.list());
    const created = { 201: TrunkBody, ...failures };
    app.post(
      '/trunks',
      { schema: { tags, security, body: CreateTrunkBody, response: created } },
      async (request, reply) => {
        const { name, ...settings } = request.body;
        const trunk = await trunks.create(name, toRequest(settings));
        await reply.code(201).header('location', `/api/v1/trunks/${name}`).send(trunk);
      },
    );
    const one = { tags, security, params: TrunkParams };
    const shown = { 200: TrunkBody, ...failures };
    app.get('/trunks/:name', { schema: { ...one, response: shown } }, (request) =>
      trunks.show(request.params.name),
    );
    app.patch(
      '/trunks/:name',
      { schema: { ...one, body: UpdateTrunkBody, response: shown } },
      (request) => trunks.update(request.params.name, toRequest(request.body)),
    );
    app.delete(
      '/trunks/:name',
      { schema: { ...one, response: { 204: Type.Null(), ...failures } } },
      async (request, reply) => {
        await trunks.remove(request.params.name);
        await reply.code(204).send(null);
      },
    );
    done();
  };
}
