import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { AppError } from '../../base/index.ts';
import type { CallKeys } from '../call-keys.ts';
import type { CallTransfers } from '../call-transfer.ts';
import type { CallQualities } from '../cdrs/index.ts';
import type { CallTraces, CallView } from '../ports.ts';
import { qualityFields } from './cdr-routes.ts';
import { Digits, ErrorBody, KeyForm, KeyProgressBody } from './schemas.ts';

const tags = ['calls'];
const security = [{ apiKey: [] }];
const failures = { '4xx': ErrorBody, '5xx': ErrorBody };
const Direction = Type.Enum(['in', 'out']);
const Time = Type.String({ format: 'date-time' });
const CallParams = Type.Object({ id: Type.String({ maxLength: 64 }) });

const callFields = {
  id: Type.String(),
  callId: Type.String({ description: 'The SIP Call-ID' }),
  direction: Direction,
  from: Type.String(),
  to: Type.String(),
  state: Type.Enum(['ringing', 'established', 'ended']),
  reason: Type.Optional(
    Type.String({ description: 'The Reason header, or the status, of what ended it' }),
  ),
  startedAt: Time,
  lastAt: Time,
  messageCount: Type.Integer(),
};
const CallBody = Type.Object({
  ...callFields,
  quality: Type.Optional(Type.Object(qualityFields)),
});
const TransferBody = Type.Object({
  uri: Type.String(),
  state: Type.Enum(['asked', 'trying', 'ringing', 'completed', 'failed', 'unknown']),
  status: Type.Optional(Type.Integer({ description: 'The SIP status that the phone told last' })),
  startedAt: Time,
  endedAt: Type.Optional(Time),
});
const TransferRequest = Type.Object(
  { uri: Type.String({ minLength: 1, maxLength: 512 }) },
  { additionalProperties: false },
);
const PressRequest = Type.Object({ digits: Digits }, { additionalProperties: false });
const PressedBody = Type.Object({ digits: Type.String(), form: KeyForm });
const CallWithLadder = Type.Object({
  ...callFields,
  transfer: Type.Optional(TransferBody),
  keys: Type.Optional(KeyProgressBody),
  quality: Type.Optional(Type.Object(qualityFields)),
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
export function callRoutes(
  calls: CallTraces,
  transfers?: CallTransfers,
  qualities?: CallQualities,
  keys?: CallKeys,
): FastifyPluginCallbackTypebox {
  return (app, _options, done) => {
    const list = { tags, security, response: { 200: Type.Array(CallBody), ...failures } };
    app.get('/calls', { schema: list }, () =>
      Promise.all(calls.live().map((call) => withQuality(call, qualities))),
    );
    const one = {
      tags,
      security,
      params: CallParams,
      response: { 200: CallWithLadder, ...failures },
    };
    app.get('/calls/:id', { schema: one }, async (request) => {
      const { call, messages } = required(calls, request.params.id);
      const ladder = messages.map((message) => ({ ...message, at: isoTime(message.at) }));
      const transfer = transfers?.find(call.callId);
      const pressed = keys?.find(call.callId);
      const shown = await withQuality(call, qualities);

      return {
        ...shown,
        ...(transfer !== undefined && { transfer }),
        ...(pressed !== undefined && { keys: pressed }),
        ladder,
      };
    });
    if (transfers !== undefined) addTransfers(app, calls, transfers);
    if (keys !== undefined) addKeys(app, calls, keys);
    done();
  };
}

function addTransfers(
  app: Parameters<FastifyPluginCallbackTypebox>[0],
  calls: CallTraces,
  transfers: CallTransfers,
): void {
  const body = TransferRequest;
  const schema = { tags, security, params: CallParams, body };
  app.post(
    '/calls/:id/transfer',
    { schema: { ...schema, response: { 202: TransferBody, ...failures } } },
    async (request, reply) => {
      const { call } = required(calls, request.params.id);
      await reply.code(202).send(transfers.start(call.callId, request.body.uri));
    },
  );
}

function addKeys(
  app: Parameters<FastifyPluginCallbackTypebox>[0],
  calls: CallTraces,
  keys: CallKeys,
): void {
  const schema = { tags, security, params: CallParams, body: PressRequest };
  app.post(
    '/calls/:id/digits',
    { schema: { ...schema, response: { 202: PressedBody, ...failures } } },
    async (request, reply) => {
      const { call } = required(calls, request.params.id);
      await reply.code(202).send(keys.press(call.callId, request.body.digits));
    },
  );
}

function required(calls: CallTraces, id: string): NonNullable<ReturnType<CallTraces['find']>> {
  const found = calls.find(id);
  if (found === undefined) throw new AppError('NOT_FOUND', `no call ${id}`);

  return found;
}

async function withQuality(call: CallView, qualities: CallQualities | undefined) {
  const quality = await qualities?.qualityOf(call.callId).catch(() => undefined);

  return { ...callBody(call), ...(quality !== undefined && { quality }) };
}

function callBody({ startedAt, lastAt, ...rest }: CallView) {
  return { ...rest, startedAt: isoTime(startedAt), lastAt: isoTime(lastAt) };
}

function isoTime(at: number): string {
  return new Date(at).toISOString();
}
