import { Type } from 'typebox';
import type { TSchema } from 'typebox';
import { MAX_NAME_LENGTH } from '../display-name.ts';

const closed = { additionalProperties: false };
const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

/** What needs no escape in a SIP URI, so that all phones write it alike. */
export const Username = Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$' });
export const Password = Type.String({ minLength: 1, maxLength: 256 });
/** Absent: SRTP_POLICY. */
export const SrtpPolicy = Type.Enum(['off', 'optional', 'required'], {
  description: 'Whether calls are encrypted; absent: as SRTP_POLICY says',
});
const Name = Type.String({ minLength: 1, maxLength: MAX_NAME_LENGTH });
const Digest = Type.Array(Type.Enum(['MD5', 'SHA-256']), {
  minItems: 1,
  maxItems: 2,
  uniqueItems: true,
});

export const AccountParams = Type.Object({ username: Type.String({ maxLength: 64 }) });

export const CreateAccountBody = Type.Object(
  {
    username: Username,
    password: Password,
    name: Type.Optional(Name),
    digest: Type.Optional(Digest),
    srtp: Type.Optional(SrtpPolicy),
  },
  closed,
);

/** `null` takes a value away. */
export const UpdateAccountBody = Type.Object(
  {
    password: Type.Optional(Password),
    name: Type.Optional(nullable(Name)),
    digest: Type.Optional(nullable(Digest)),
    srtp: Type.Optional(nullable(SrtpPolicy)),
  },
  closed,
);

const RegistrationBody = Type.Object({
  contact: Type.String(),
  transport: Type.String(),
  source: Type.String(),
  userAgent: Type.Optional(Type.String()),
  registeredAt: Type.String({ format: 'date-time' }),
  expiresAt: Type.String({ format: 'date-time' }),
});

export const AccountBody = Type.Object({
  username: Type.String(),
  name: Type.String(),
  digest: Type.Optional(Digest),
  srtp: Type.Optional(SrtpPolicy),
  createdAt: Type.String({ format: 'date-time' }),
  needsPassword: Type.Boolean(),
  registrations: Type.Array(RegistrationBody),
});
