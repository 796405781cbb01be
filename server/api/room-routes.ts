import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { AppError } from '../../base/index.ts';
import type { ParticipantId, RoomNumber } from '../../base/index.ts';
import { dial } from '../dial-plan.ts';
import type { Participant } from '../participant.ts';
import type { LayoutView, ParticipantView } from '../ports.ts';
import type { Room } from '../room.ts';
import type { RoomManager, UpdateRoomRequest } from '../room-manager.ts';
import {
  CreateRoomBody,
  ErrorBody,
  ParticipantBody,
  ParticipantParams,
  RoomBody,
  RoomParams,
  UpdateParticipantBody,
  UpdateRoomBody,
} from './schemas.ts';

const tags = ['rooms'];
const security = [{ apiKey: [] }];
/** Every error has the one shape; which codes there are is in docs/errors.md. */
const failures = { '4xx': ErrorBody, '5xx': ErrorBody };
const Nothing = Type.Null();

/** `/api/v1/rooms` and what is below it; authentication is the caller's. */
export function roomRoutes(rooms: RoomManager): FastifyPluginCallbackTypebox {
  return (app, options, done) => {
    collectionRoutes(rooms)(app, options, () => undefined);
    oneRoomRoutes(rooms)(app, options, () => undefined);
    participantRoutes(rooms)(app, options, () => undefined);
    done();
  };
}

function collectionRoutes(rooms: RoomManager): FastifyPluginCallbackTypebox {
  return (app) => {
    const list = { 200: Type.Array(RoomBody), ...failures };
    app.get('/rooms', { schema: { tags, security, response: list } }, () =>
      rooms.list().map((room) => room.view()),
    );
    app.post(
      '/rooms',
      {
        schema: { tags, security, body: CreateRoomBody, response: { 201: RoomBody, ...failures } },
        // All members are optional, and so is the body.
        preValidation: (request, _reply, next) => {
          request.body ??= {};
          next();
        },
      },
      async (request, reply) => {
        const { number, ...settings } = request.body;
        const room = await rooms.create({
          ...settings,
          ...(number !== undefined && { number: parseNumber(number, 'BAD_REQUEST') }),
        });
        await reply.code(201).header('location', `/api/v1/rooms/${room.number}`).send(room.view());
      },
    );
  };
}

function oneRoomRoutes(rooms: RoomManager): FastifyPluginCallbackTypebox {
  return (app) => {
    const one = { tags, security, params: RoomParams, response: { 200: RoomBody, ...failures } };
    app.get('/rooms/:number', { schema: one }, (request) =>
      rooms.require(parseNumber(request.params.number)).view(),
    );
    app.patch('/rooms/:number', { schema: { ...one, body: UpdateRoomBody } }, async (request) => {
      const number = parseNumber(request.params.number);
      const change: UpdateRoomRequest = request.body;

      return (await rooms.update(number, change)).view();
    });
    const gone = { tags, security, params: RoomParams, response: { 204: Nothing, ...failures } };
    app.delete('/rooms/:number', { schema: gone }, async (request, reply) => {
      await rooms.delete(parseNumber(request.params.number));
      await reply.code(204).send(null);
    });
  };
}

function participantRoutes(rooms: RoomManager): FastifyPluginCallbackTypebox {
  return (app) => {
    const list = { 200: Type.Array(ParticipantBody), ...failures };
    app.get(
      '/rooms/:number/participants',
      { schema: { tags, security, params: RoomParams, response: list } },
      (request) => {
        const room = rooms.require(parseNumber(request.params.number));

        return [...room.joined(), ...room.waiting()].map((member) => withLayout(room, member));
      },
    );
    const common = { tags, security, params: ParticipantParams };
    app.patch(
      '/rooms/:number/participants/:id',
      {
        schema: {
          ...common,
          body: UpdateParticipantBody,
          response: { 200: ParticipantBody, ...failures },
        },
      },
      async (request) => {
        const participant = find(rooms, request.params);
        const { muted, name, role, handRaised, state, layout } = request.body;
        if (name !== undefined) participant.setName(name);
        if (role !== undefined) participant.setRole(role);
        if (handRaised !== undefined) participant.setHandRaised(handRaised);
        if (layout !== undefined) participant.setLayout(layout ?? undefined);
        if (muted !== undefined) await participant.setMuted(muted);
        if (state === 'joined') await participant.letIn();

        return withLayout(rooms.require(parseNumber(request.params.number)), participant);
      },
    );
    app.delete(
      '/rooms/:number/participants/:id',
      { schema: { ...common, response: { 204: Nothing, ...failures } } },
      async (request, reply) => {
        await find(rooms, request.params).leave('kicked');
        await reply.code(204).send(null);
      },
    );
  };
}

function withLayout(room: Room, member: Participant): ParticipantView & LayoutView {
  return { ...member.view(), ...room.layoutOf(member) };
}

function find(rooms: RoomManager, params: { number: string; id: string }): Participant {
  const room = rooms.require(parseNumber(params.number));
  const participant = room.anybody(params.id as ParticipantId);
  if (participant === undefined) {
    throw new AppError('PARTICIPANT_NOT_FOUND', `no participant ${params.id} in the room`);
  }

  return participant;
}

/** What cannot be the number of a room cannot be found either; in a body it is a mistake. */
export function parseNumber(
  text: string,
  code: 'ROOM_NOT_FOUND' | 'BAD_REQUEST' = 'ROOM_NOT_FOUND',
): RoomNumber {
  const result = dial(text);
  if (!result.ok) throw new AppError(code, `not the number of a room (${result.reason})`);
  if (result.pin !== undefined)
    throw new AppError(code, 'not the number of a room (bad-characters)');

  return result.room;
}
