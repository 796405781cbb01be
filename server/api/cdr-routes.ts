import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { RoomNumber } from '../../base/index.ts';
import type { CdrBook } from '../cdrs/index.ts';
import { ErrorBody } from './schemas.ts';

const security = [{ apiKey: [] }];
const failures = { '4xx': ErrorBody, '5xx': ErrorBody };
const Time = Type.String({ format: 'date-time' });
const DEFAULT_LIMIT = 1000;

/** How a phone's audio was, or is. */
export const qualityFields = {
  codec: Type.Optional(
    Type.String({ description: 'What the phone is sent: PCMU, PCMA, G722, opus' }),
  ),
  loss: Type.Optional(Type.Number({ description: 'Of the packets that the phone sent, 0 to 1' })),
  jitter: Type.Optional(Type.Number({ description: 'Milliseconds, by RFC 3550 A.8' })),
  roundTrip: Type.Optional(
    Type.Number({ description: 'Milliseconds; absent when the phone reported nothing (RTCP)' }),
  ),
  mos: Type.Optional(Type.Number({ description: 'E-model, ITU-T G.107; 1 to 4.5' })),
  remoteMos: Type.Optional(
    Type.Number({ description: 'Of what the phone hears, by its RTCP XR reports; 1 to 5' }),
  ),
};

const CdrBody = Type.Object({
  id: Type.String({ description: 'Of the participant' }),
  room: Type.String({ description: 'Its number' }),
  kind: Type.Enum(['browser', 'phone']),
  name: Type.String({ description: 'As the others saw it' }),
  address: Type.String({ description: 'SIP URI of a phone, network address of a browser' }),
  startedAt: Time,
  endedAt: Time,
  duration: Type.Number({ description: 'Seconds' }),
  reason: Type.String({ description: 'Why it ended' }),
  packetsReceived: Type.Optional(Type.Integer({ description: 'RTP of the phone' })),
  ...qualityFields,
});

const Query = Type.Object(
  {
    from: Type.Optional(Time),
    to: Type.Optional(Time),
    room: Type.Optional(Type.String({ maxLength: 64 })),
    limit: Type.Optional(Type.String({ pattern: '^[1-9][0-9]{0,4}$' })),
  },
  { additionalProperties: false },
);

/** `/api/v1/cdrs`: finished calls, the newest first; authentication is the caller's. */
export function cdrRoutes(
  cdrs: Pick<CdrBook, 'find'>,
  parseNumber: (text: string) => RoomNumber,
): FastifyPluginCallbackTypebox {
  return (app, _options, done) => {
    const response = { 200: Type.Array(CdrBody), ...failures };
    const schema = { tags: ['calls'], security, querystring: Query, response };
    app.get('/cdrs', { schema }, (request) => {
      const { from, to, room, limit } = request.query;

      return cdrs.find({
        limit: limit === undefined ? DEFAULT_LIMIT : Number(limit),
        ...(from !== undefined && { from: Date.parse(from) }),
        ...(to !== undefined && { to: Date.parse(to) }),
        ...(room !== undefined && { room: parseNumber(room) }),
      });
    });
    done();
  };
}
