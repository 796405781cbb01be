import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { RoomNumber } from '../../base/index.ts';
import { CLOSE_REASONS } from '../close-reason.ts';
import type { DialOut, DialOutRequest } from '../dial-out.ts';
import { MAX_NAME_LENGTH } from '../display-name.ts';
import { Digits, ErrorBody, KeyProgressBody, RoomParams } from './schemas.ts';

const tags = ['calls'];
const security = [{ apiKey: [] }];
const failures = { '4xx': ErrorBody, '5xx': ErrorBody };
const Time = Type.String({ format: 'date-time' });

const DialBody = Type.Object(
  {
    uri: Type.String({ minLength: 1, maxLength: 512 }),
    name: Type.Optional(Type.String({ minLength: 1, maxLength: MAX_NAME_LENGTH })),
    trunk: Type.Optional(Type.String({ maxLength: 64 })),
    digits: Type.Optional(Digits),
  },
  { additionalProperties: false },
);

const CallBody = Type.Object({
  id: Type.String(),
  room: Type.String(),
  uri: Type.String(),
  kind: Type.Enum(['account', 'trunk', 'uri']),
  state: Type.Enum(['calling', 'ringing', 'answered', 'ended']),
  participantId: Type.String(),
  startedAt: Time,
  answeredAt: Type.Optional(Time),
  endedAt: Type.Optional(Time),
  reason: Type.Optional(Type.Enum([...CLOSE_REASONS])),
  status: Type.Optional(Type.Integer()),
  keys: Type.Optional(KeyProgressBody),
});

/** `/api/v1/rooms/{number}/calls`: calls out of a room; authentication is the caller's. */
export function dialOutRoutes(
  dialOut: DialOut,
  parseNumber: (text: string) => RoomNumber,
): FastifyPluginCallbackTypebox {
  return (app, _options, done) => {
    const common = { tags, security, params: RoomParams };
    app.post(
      '/rooms/:number/calls',
      { schema: { ...common, body: DialBody, response: { 202: CallBody, ...failures } } },
      async (request, reply) => {
        const body: DialOutRequest = request.body;
        const call = await dialOut.start(parseNumber(request.params.number), body);
        await reply.code(202).send(call);
      },
    );
    app.get(
      '/rooms/:number/calls',
      { schema: { ...common, response: { 200: Type.Array(CallBody), ...failures } } },
      (request) => dialOut.list(parseNumber(request.params.number)),
    );
    done();
  };
}
