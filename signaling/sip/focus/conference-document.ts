/** What RFC 4575 says of a conference, and its documents: full ones, and what changed between two states. */
import type { DisconnectionMethod } from './dialled-endpoints.ts';
import { element, textElement } from './xml.ts';

export const CONFERENCE_TYPE = 'application/conference-info+xml';
const NAMESPACE = 'urn:ietf:params:xml:ns:conference-info';

export type MediaStatus = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

export interface MediaState {
  /** Unique in its endpoint. */
  readonly id: string;
  readonly type: 'audio' | 'video';
  /** Unique in its conference: what `a=label` says of the m-line that carries it (RFC 4575 5.8.2). */
  readonly label: string;
  /** From the participant's point of view. */
  readonly status: MediaStatus;
}

/** Of RFC 4575 5.7.2 those that we know of an endpoint. */
export type EndpointStatus =
  'dialing-out' | 'alerting' | 'connected' | 'on-hold' | 'muted-via-focus' | 'disconnected';

export interface EndpointState {
  /** Unique in its user. */
  readonly entity: string;
  readonly displayText: string;
  readonly status: EndpointStatus;
  readonly joiningMethod: 'dialed-in' | 'dialed-out';
  /** ISO 8601; absent before it has joined. */
  readonly joinedAt?: string;
  /** Of one that is `disconnected`. */
  readonly disconnectionMethod?: DisconnectionMethod;
  readonly media: readonly MediaState[];
  /** For phones: the dialog with the focus. */
  readonly dialog?: { readonly callId: string; readonly fromTag: string; readonly toTag: string };
}

export interface UserState {
  readonly displayText: string;
  readonly roles: readonly string[];
  readonly endpoints: readonly EndpointState[];
}

export interface ConferenceState {
  readonly displayText: string;
  readonly maximumUserCount: number;
  readonly active: boolean;
  /** By their URI: "used as the key" (RFC 4575 4.5). */
  readonly users: ReadonlyMap<string, UserState>;
}

/** A state with its parts already written: two are compared part by part. */
export interface WrittenState {
  readonly description: string;
  readonly state: string;
  readonly users: ReadonlyMap<string, string>;
}

/** The one mix that everybody hears, and the pictures (RFC 4574 labels). */
const LABELS = { audio: 'main-audio', video: 'main-video' } as const;

/** Those who are not in the conference yet, or no more. */
const ABSENT: ReadonlySet<EndpointStatus> = new Set<EndpointStatus>([
  'dialing-out',
  'alerting',
  'disconnected',
]);

export function writeState(conference: ConferenceState): WrittenState {
  const count = [...conference.users.values()].reduce(
    (sum, user) => sum + user.endpoints.filter(({ status }) => !ABSENT.has(status)).length,
    0,
  );

  return {
    description: element('conference-description', {}, [
      textElement('display-text', conference.displayText),
      textElement('maximum-user-count', String(conference.maximumUserCount)),
      element('available-media', {}, [availableMedia('audio'), availableMedia('video')]),
    ]),
    state: element('conference-state', {}, [
      textElement('user-count', String(count)),
      textElement('active', String(conference.active)),
    ]),
    users: new Map(
      [...conference.users].map(([entity, user]) => [entity, writeUser(entity, user)]),
    ),
  };
}

export function fullDocument(entity: string, version: number, state: WrittenState): string {
  return conferenceInfo(entity, 'full', version, [
    state.description,
    state.state,
    element('users', { state: 'full' }, [...state.users.values()]),
  ]);
}

/**
 * What makes `now` of `before` (RFC 4575 4.6); undefined when they are the same. A user that changed is
 * written whole, one that left as `deleted`.
 */
export function partialDocument(
  entity: string,
  version: number,
  before: WrittenState,
  now: WrittenState,
): string | undefined {
  const changed = [...now.users].flatMap(([user, xml]) =>
    before.users.get(user) === xml ? [] : [xml],
  );
  const gone = [...before.users.keys()].flatMap((user) =>
    now.users.has(user) ? [] : [element('user', { entity: user, state: 'deleted' })],
  );
  const users = [...gone, ...changed];
  const parts = [
    before.description === now.description ? undefined : now.description,
    before.state === now.state ? undefined : now.state,
    users.length === 0 ? undefined : element('users', { state: 'partial' }, users),
  ];
  if (parts.every((part) => part === undefined)) return undefined;

  return conferenceInfo(entity, 'partial', version, parts);
}

function conferenceInfo(
  entity: string,
  state: 'full' | 'partial',
  version: number,
  children: readonly (string | undefined)[],
): string {
  const attributes = { xmlns: NAMESPACE, entity, state, version: String(version) };

  return `<?xml version="1.0" encoding="UTF-8"?>\n${element('conference-info', attributes, children)}\n`;
}

function availableMedia(type: 'audio' | 'video'): string {
  return element('entry', { label: LABELS[type] }, [
    textElement('type', type),
    textElement('status', 'sendrecv'),
  ]);
}

function writeUser(entity: string, user: UserState): string {
  return element('user', { entity, state: 'full' }, [
    textElement('display-text', user.displayText),
    element(
      'roles',
      {},
      user.roles.map((role) => textElement('entry', role)),
    ),
    ...user.endpoints.map(writeEndpoint),
  ]);
}

function writeEndpoint(endpoint: EndpointState): string {
  const { dialog } = endpoint;

  return element('endpoint', { entity: endpoint.entity, state: 'full' }, [
    textElement('display-text', endpoint.displayText),
    textElement('status', endpoint.status),
    textElement('joining-method', endpoint.joiningMethod),
    endpoint.joinedAt === undefined
      ? undefined
      : element('joining-info', {}, [textElement('when', endpoint.joinedAt)]),
    textElement('disconnection-method', endpoint.disconnectionMethod),
    ...endpoint.media.map(({ id, type, label, status }) =>
      element('media', { id }, [
        textElement('type', type),
        textElement('label', label),
        textElement('status', status),
      ]),
    ),
    dialog &&
      element('call-info', {}, [
        element('sip', {}, [
          textElement('call-id', dialog.callId),
          textElement('from-tag', dialog.fromTag),
          textElement('to-tag', dialog.toTag),
        ]),
      ]),
  ]);
}
