import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { AppError } from '../../base/index.ts';
import type { CallTraces, CallView } from '../ports.ts';
import { ErrorBody } from './schemas.ts';

const tags = ['calls'];
const security = [{ apiKey: [] }];
const failures = { '4xx': ErrorBody, '5xx': ErrorBody };
const Direction = Type.Enum(['in', 'out']);
const Time = Type.String({ format: 'date-time' });

const callFields = {
  id: Type.String(),
  callId: Type.String({ description: 'The SIP Call-ID' }),
  direction: Direction,
  from: Type.String(),
  to: Type.String(),
  state: Type.Enum(['ringing', 'established', 'ended']),
  startedAt: Time,
  lastAt: Time,
  messageCount: Type.Integer(),
};
const CallBody = Type.Object(callFields);
const CallWithLadder = Type.Object({
  ...callFields,
  ladder: Type.Array(
    Type.Object({
      at: Time,
      direction: Direction,
      transport: Type.String(),
      remote: Type.String(),
      summary: Type.String(),
      text: Type.String({ description: 'The message; secrets are masked' }),
    }),
  ),
});

/** `/api/v1/calls`: what phones and we said to each other; authentication is the caller's. */
export function callRoutes(calls: CallTraces): FastifyPluginCallbackTypebox {
  return (app, _options, done) => {
    const list = { tags, security, response: { 200: Type.Array(CallBody), ...failures } };
    app.get('/calls', { schema: list }, () => calls.live().map(callBody));
    const params = Type.Object({ id: Type.String({ maxLength: 64 }) });
    const one = { tags, security, params, response: { 200: CallWithLadder, ...failures } };
    app.get('/calls/:id', { schema: one }, (request) => {
      const found = calls.find(request.params.id);
      if (found === undefined) throw new AppError('NOT_FOUND', `no call ${request.params.id}`);
      const ladder = found.messages.map((message) => ({ ...message, at: isoTime(message.at) }));

      return { ...callBody(found.call), ladder };
    });
    done();
  };
}

function callBody({ startedAt, lastAt, ...rest }: CallView) {
  return { ...rest, startedAt: isoTime(startedAt), lastAt: isoTime(lastAt) };
}

function isoTime(at: number): string {
  return new Date(at).toISOString();
}
