import { Type } from 'typebox';
import type { Static, TSchema } from 'typebox';
import { ERROR_CODES } from '../../base/index.ts';
import { KEYS_TO_PRESS } from '../call-keys.ts';
import { MAX_ROOM_NUMBER_LENGTH } from '../dial-plan.ts';
import { MAX_NAME_LENGTH } from '../display-name.ts';

const closed = { additionalProperties: false };

const RoomName = Type.String({ minLength: 1, maxLength: MAX_NAME_LENGTH });
const Pin = Type.String({ pattern: '^[0-9]{1,16}$' });
const Language = Type.String({ pattern: '^[a-z]{2,3}$' });
const Limit = Type.Integer({ minimum: 1, maximum: 100_000 });
const Layout = Type.Enum(['speaker', 'grid']);
/** What phones with one picture see: the wish, what they get, and why that is something else. */
const layoutView = {
  layout: Layout,
  effectiveLayout: Layout,
  layoutReason: Type.Optional(Type.String()),
};
const Role = Type.Enum(['host', 'guest']);
const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

/** Folded to lower case and checked by the dial plan, which has the one rule for numbers. */
const Number = Type.String({ minLength: 1, maxLength: MAX_ROOM_NUMBER_LENGTH });

export const Digits = Type.String({
  pattern: KEYS_TO_PRESS,
  description: 'Keys to press: 0-9 * # A-D; w waits half a second, a comma two',
});

export const KeyForm = Type.Enum(['events', 'info', 'tones'], {
  description: 'RFC 4733 events, SIP INFO, or tones in the audio: what the phone agreed to',
});

export const KeyProgressBody = Type.Object(
  { form: Type.Optional(KeyForm), state: Type.Enum(['pressing', 'pressed', 'cut-off']) },
  { description: 'Of the keys pressed last; cut-off: not all of them were' },
);

export const ErrorBody = Type.Object({
  error: Type.Object({ code: Type.Enum([...ERROR_CODES]), message: Type.String() }),
});

export const RoomParams = Type.Object({ number: Number });
export const ParticipantParams = Type.Object({
  number: Number,
  id: Type.String({ maxLength: 64 }),
});

export const CreateRoomBody = Type.Object(
  {
    number: Type.Optional(Number),
    name: Type.Optional(RoomName),
    hostPin: Type.Optional(Pin),
    guestPin: Type.Optional(Pin),
    lobby: Type.Optional(Type.Boolean()),
    tones: Type.Optional(Type.Boolean()),
    language: Type.Optional(Language),
    layout: Type.Optional(Layout),
    maxParticipants: Type.Optional(Limit),
  },
  closed,
);

/** `null` takes a value away. */
export const UpdateRoomBody = Type.Object(
  {
    name: Type.Optional(RoomName),
    hostPin: Type.Optional(nullable(Pin)),
    guestPin: Type.Optional(nullable(Pin)),
    lobby: Type.Optional(Type.Boolean()),
    tones: Type.Optional(Type.Boolean()),
    language: Type.Optional(nullable(Language)),
    layout: Type.Optional(Layout),
    locked: Type.Optional(Type.Boolean()),
    maxParticipants: Type.Optional(nullable(Limit)),
  },
  closed,
);

export const UpdateParticipantBody = Type.Object(
  {
    muted: Type.Optional(Type.Boolean()),
    name: Type.Optional(RoomName),
    role: Type.Optional(Role),
    handRaised: Type.Optional(Type.Boolean()),
    /** Of this phone alone; `null`: as the room has it. */
    layout: Type.Optional(nullable(Layout)),
    /** Lets somebody in who waits in the lobby. */
    state: Type.Optional(Type.Literal('joined')),
  },
  closed,
);

export const RoomBody = Type.Object({
  number: Type.String(),
  name: Type.String(),
  createdAt: Type.String({ format: 'date-time' }),
  startedAt: Type.Optional(Type.String({ format: 'date-time' })),
  maxParticipants: Type.Integer(),
  participants: Type.Integer(),
  persistent: Type.Boolean(),
  locked: Type.Boolean(),
  lobby: Type.Boolean(),
  tones: Type.Boolean(),
  language: Type.Optional(Language),
  ...layoutView,
  hostPinSet: Type.Boolean(),
  guestPinSet: Type.Boolean(),
});

export const ParticipantBody = Type.Object({
  id: Type.String(),
  name: Type.String(),
  kind: Type.Enum(['browser', 'phone']),
  address: Type.String(),
  role: Role,
  state: Type.Enum(['lobby', 'joined']),
  muted: Type.Boolean(),
  speaking: Type.Boolean(),
  handRaised: Type.Boolean(),
  video: Type.Boolean(),
  ...layoutView,
  videoCodecs: Type.Array(Type.String(), {
    description:
      'What it sends its pictures in. A phone sees those alone who send what it takes (videoReceived).',
  }),
  videoReceived: Type.Optional(
    Type.String({ description: 'Of a phone that is sent video: the codec that it takes.' }),
  ),
  joinedAt: Type.String({ format: 'date-time' }),
});

export const Health = Type.Object({ status: Type.String() });
export const Readiness = Type.Object({
  status: Type.Enum(['ready', 'unready']),
  missing: Type.Array(Type.String()),
  warnings: Type.Optional(Type.Array(Type.String())),
});

export type CreateRoomBody = Static<typeof CreateRoomBody>;
export type UpdateRoomBody = Static<typeof UpdateRoomBody>;
