import { AppError } from '../../base/index.ts';
import type { Clock, Logger } from '../../base/index.ts';
import type { ParticipantId } from '../../base/index.ts';
import {
  dial,
  may,
  type JoinRequest,
  type Participant,
  type ParticipantSink,
} from '../../server/index.ts';
import type { Connection, Handlers, Outcome } from './connection.ts';
import { Member } from './member.ts';
import type { MemberRegistry } from './member-registry.ts';
import type { RequestMessage } from './protocol.ts';

/** What of the room manager this front end needs. */
export interface RoomDoor {
  join(request: JoinRequest, sink: ParticipantSink): Promise<Participant>;
}

export interface RoomHandlerOptions {
  rooms: RoomDoor;
  members: MemberRegistry;
  clock: Clock;
  logger: Logger;
  reconnectTimeout: number;
}

type JoinMessage = RequestMessage<'join'>;

export function roomHandlers(
  options: RoomHandlerOptions,
): Handlers<'join' | 'leave' | 'set-name' | 'chat' | 'admit'> {
  return {
    join: (connection, message) => join(options, connection, message),

    leave: ({ member }) => {
      // Its media need not be closed before the page may go.
      void member.participant.leave('left');

      return {};
    },

    'set-name': ({ member }, { name }) => {
      member.participant.setName(name);

      return {};
    },

    admit: async ({ member }, { participantId }) => {
      const { participant } = member;
      const verdict = may(participant, 'let-in', { id: participantId as ParticipantId });
      if (!verdict.ok) throw new AppError(verdict.code, verdict.message);
      const waiting = participant.room.waiting().find(({ id }) => id === participantId);
      if (waiting === undefined) throw new AppError('PARTICIPANT_NOT_FOUND', 'nobody waits there');
      await waiting.letIn();

      return {};
    },

    chat: ({ member }, { text }) => {
      member.participant.say(text);

      return {};
    },
  };
}

/**
 * Three ways in: going on with a resume token, repeating a join whose answer was lost with its socket,
 * and entering anew. A token that is not known any more is no error: the page enters anew and sees by
 * `resumed` that it has to set its media up again.
 */
async function join(
  options: RoomHandlerOptions,
  connection: Connection,
  message: JoinMessage,
): Promise<Outcome<'join'>> {
  if (connection.hasMember) {
    throw new AppError('INVALID_STATE', 'this socket has joined already');
  }
  const { members } = options;
  const returning =
    message.resumeToken === undefined ? undefined : members.findByResumeToken(message.resumeToken);
  if (returning !== undefined && returning.participant.room.number === message.room) {
    connection.adopt(returning);

    return () => returning.joinAnswer(true);
  }
  const earlier = members.findByJoin(message.requestId);
  const member = await (earlier ??
    members.admit(message.requestId, () => enter(options, connection, message)));
  if (member.isOver) throw new AppError('ROOM_CLOSED', 'the meeting has ended');
  connection.adopt(member);

  return () => member.joinAnswer(false);
}

async function enter(
  options: RoomHandlerOptions,
  connection: Connection,
  message: JoinMessage,
): Promise<Member> {
  const { rooms, members, clock, logger, reconnectTimeout } = options;
  const dialled = dial(message.room);
  if (!dialled.ok) throw new AppError('ROOM_NOT_FOUND', `no room ${message.room}`);
  const member = new Member({
    clock,
    logger,
    reconnectTimeout,
    answers: connection.answers,
    onEnded: (over) => {
      members.remove(over);
    },
  });
  const participant = await rooms.join(
    {
      room: dialled.room,
      name: message.name,
      kind: 'browser',
      address: connection.address,
      ...(message.pin !== undefined && { pin: message.pin }),
    },
    member,
  );
  member.enter(participant);

  return member;
}
