/** Stored JSON back into settings; undefined for what is not whole. */
import type { RoomNumber } from '../../base/index.ts';
import { SRTP_POLICIES, type SrtpPolicy } from '../config.ts';
import type { AccountSettings, RoomSettings, TrunkSettings } from '../ports.ts';

type Fields = Record<string, unknown>;

export function parseRoom(number: RoomNumber, fields: Fields): RoomSettings | undefined {
  const { name, createdAt, maxParticipants, hostPin, guestPin, lobby, tones, language, layout } =
    fields;
  if (typeof name !== 'string' || typeof createdAt !== 'number') return undefined;

  return {
    number,
    name,
    createdAt,
    ...(typeof maxParticipants === 'number' && { maxParticipants }),
    ...(typeof hostPin === 'string' && { hostPin }),
    ...(typeof guestPin === 'string' && { guestPin }),
    ...(lobby === true && { lobby }),
    ...(tones === false && { tones }),
    ...(typeof language === 'string' && { language }),
    ...(layout === 'grid' && { layout }),
  };
}

export function parseAccount(username: string, fields: Fields): AccountSettings | undefined {
  const { name, digest, secret, createdAt } = fields;
  if (typeof secret !== 'string' || typeof createdAt !== 'number') return undefined;
  const algorithms = strings(digest).filter((entry) => entry === 'MD5' || entry === 'SHA-256');

  return {
    username,
    secret,
    createdAt,
    ...(typeof name === 'string' && { name }),
    ...(algorithms.length > 0 && { digest: algorithms }),
    ...parseSrtp(fields),
  };
}

export function parseTrunk(name: string, fields: Fields): TrunkSettings | undefined {
  const { host, port, transport, username, secret, register, maxCalls, createdAt } = fields;
  if (typeof host !== 'string' || typeof createdAt !== 'number') return undefined;
  if (transport !== 'udp' && transport !== 'tcp' && transport !== 'tls') return undefined;
  const routes = Array.isArray(fields['didRoutes']) ? (fields['didRoutes'] as unknown[]) : [];

  return {
    name,
    host,
    transport,
    register: register === true,
    allowedAddresses: strings(fields['allowedAddresses']),
    didRoutes: routes.flatMap((route) => parseRoute(route) ?? []),
    createdAt,
    ...(typeof port === 'number' && { port }),
    ...(typeof username === 'string' && { username }),
    ...(typeof secret === 'string' && { secret }),
    ...(typeof maxCalls === 'number' && { maxCalls }),
    ...(fields['video'] === true && { video: true }),
    ...parseSrtp(fields),
  };
}

function parseRoute(route: unknown): TrunkSettings['didRoutes'][number] | undefined {
  const { did, room } = (route ?? {}) as Fields;

  return typeof did === 'string' && typeof room === 'string'
    ? { did, room: room as RoomNumber }
    : undefined;
}

function parseSrtp({ srtp }: Fields): { srtp?: SrtpPolicy } {
  const policy = SRTP_POLICIES.find((known) => known === srtp);

  return policy === undefined ? {} : { srtp: policy };
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((entry) => typeof entry === 'string') : [];
}
