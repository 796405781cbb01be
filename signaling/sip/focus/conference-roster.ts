import type { ParticipantId, RoomNumber } from '../../../base/index.ts';
import type { MediaSource } from '../../../media/index.ts';
import type { ParticipantView, Room } from '../../../server/index.ts';
import type {
  ConferenceState,
  EndpointState,
  MediaState,
  MediaStatus,
  UserState,
} from './conference-document.ts';
import type { DialledEndpoint } from './dialled-endpoints.ts';
import type { MemberCall, MemberCalls } from './member-calls.ts';

/** The roster of a room as RFC 4575 describes it. */
export function conferenceState(room: Room, calls: MemberCalls): ConferenceState {
  const view = room.view();
  const users = new Map<string, UserState>();
  // One address with two phones is one user with two endpoints (RFC 4575 5.7).
  const add = (entity: string, name: string, endpoint: EndpointState, role?: string): void => {
    const before = users.get(entity);
    const roles = role === undefined ? [] : [role];
    users.set(entity, {
      displayText: before?.displayText ?? name,
      roles: [...new Set([...(before?.roles ?? []), ...roles])],
      endpoints: [...(before?.endpoints ?? []), endpoint],
    });
  };
  const members = room.roster();
  for (const participant of members) {
    const endpoint = endpointState(participant, calls.ofParticipant(participant.id));
    add(userEntity(participant), participant.name, endpoint, participant.role);
  }
  for (const called of calls.dialled.in(room.number)) {
    if (members.some(({ id }) => id === called.id)) continue;
    add(userEntity({ ...called, kind: 'phone' }), called.name, dialledState(called));
  }

  return {
    displayText: view.name,
    maximumUserCount: view.maxParticipants,
    active: members.length > 0,
    users,
  };
}

/**
 * A phone's address of record. Those who have none to show, withheld numbers and browsers, get one that
 * nobody can dial, of their own: "the focus … sip:anonymous1@anonymous.invalid" (RFC 4575 5.6).
 */
export function userEntity({
  id,
  kind,
  address,
}: Pick<ParticipantView, 'id' | 'kind' | 'address'>): string {
  const bare = address.replace(/[;?].*$/, '');
  const isKnown = /^(?:sips?|tel):[!-~]+$/i.test(bare) && !/@anonymous\.invalid$/i.test(bare);
  if (kind === 'phone' && isKnown && isAnyUri(bare)) return bare;

  return `sip:${id}@${kind === 'phone' ? 'anonymous' : 'browser'}.invalid`;
}

/** An honest phone writes nothing in its address that an xs:anyURI may not hold. */
function isAnyUri(text: string): boolean {
  return !/[<>"{}|\\^`]|%(?![0-9a-f]{2})/i.test(text);
}

function endpointState(
  participant: ParticipantView,
  member: MemberCall | undefined,
): EndpointState {
  const dialog = member?.call.dialogId;
  const isDialedOut = member?.joiningMethod === 'dialed-out';

  return {
    entity: `${userEntity(participant)};gruu=${participant.id}`,
    displayText: participant.kind === 'phone' ? 'Phone' : 'Browser',
    status: endpointStatus(participant, member),
    joiningMethod: member?.joiningMethod ?? 'dialed-in',
    joinedAt: participant.joinedAt,
    media: mediaStates(participant, member),
    ...(dialog && {
      dialog: {
        callId: dialog.callId,
        fromTag: isDialedOut ? dialog.localTag : dialog.remoteTag,
        toTag: isDialedOut ? dialog.remoteTag : dialog.localTag,
      },
    }),
  };
}

function dialledState(called: DialledEndpoint): EndpointState {
  const { state } = called;

  return {
    entity: `${userEntity({ ...called, kind: 'phone' })};gruu=${called.id}`,
    displayText: 'Phone',
    status: state.status,
    joiningMethod: 'dialed-out',
    media: [],
    ...(state.status === 'disconnected' && { disconnectionMethod: state.method }),
  };
}

function endpointStatus(
  participant: ParticipantView,
  member: MemberCall | undefined,
): EndpointState['status'] {
  if (member !== undefined && isOnHold(member.audio)) return 'on-hold';
  // A browser's own button mutes it too: only a phone's microphone is always closed by the focus.
  if (participant.kind === 'phone' && participant.muted) return 'muted-via-focus';

  return 'connected';
}

function mediaStates(
  participant: ParticipantView,
  member: MemberCall | undefined,
): readonly MediaState[] {
  const audio: MediaStatus = member?.audio ?? (participant.muted ? 'recvonly' : 'sendrecv');
  const ofBrowser = participant.video ? 'sendrecv' : 'recvonly';
  const ofPhone = member?.video ?? (participant.video ? 'sendrecv' : undefined);
  const video = participant.kind === 'browser' ? ofBrowser : ofPhone;
  const labels = {
    audio: streamLabel(participant.id, 'microphone'),
    video: streamLabel(participant.id, 'camera'),
  };

  return [
    { id: '1', type: 'audio', label: labels.audio, status: audio },
    ...(video === undefined
      ? []
      : [{ id: '2', type: 'video', label: labels.video, status: video } as const]),
  ];
}

/** A phone that does not listen holds us: what it still sends is its music, which nobody gets. */
function isOnHold(status: MediaStatus): boolean {
  return status === 'sendonly' || status === 'inactive';
}

/** The URI that names a room to the world. */
export function conferenceUri(room: RoomNumber, authority: string): string {
  return `sip:${room}@${authority}`;
}

/** What a stream is called, in m-lines (RFC 4574) and here. */
export function streamLabel(id: ParticipantId, source: MediaSource): string {
  return `${id}.${source}`;
}
