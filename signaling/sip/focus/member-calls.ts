import {
  TypedEmitter,
  type Clock,
  type ParticipantId,
  type RoomNumber,
} from '../../../base/index.ts';
import type { Participant } from '../../../server/index.ts';
import type { NegotiatedAudio } from '../../sdp/index.ts';
import type { SipMessage, SipRequest } from '../message/index.ts';
import type { RemoteFlow } from '../transport/index.ts';
import type { SessionCall } from '../ua/index.ts';
import type { MediaStatus } from './conference-document.ts';
import { DialledEndpoints } from './dialled-endpoints.ts';

/** A phone in a room: its participant and its call. */
export interface MemberCall {
  readonly participant: Participant;
  readonly call: SessionCall;
  readonly joiningMethod: 'dialed-in' | 'dialed-out';
  /** How its INVITE came; undefined for a phone that we called. */
  readonly flow: RemoteFlow | undefined;
  /** Whose call it is, as its password showed; undefined for a guest, a trunk's caller, a stranger. */
  readonly account: string | undefined;
  /** From the phone's point of view. */
  audio: MediaStatus;
  /** The same of its video; undefined without any. */
  video: MediaStatus | undefined;
}

/** The phones that are in rooms now: who is it that this call, or this request, comes from? */
export class MemberCalls {
  /** Something that the roster shows of a phone beside its participant. */
  readonly events = new TypedEmitter<{ changed: [RoomNumber]; removed: [RoomNumber] }>();
  readonly dialled: DialledEndpoints;
  readonly #byCall = new Map<SessionCall, MemberCall>();
  readonly #byParticipant = new Map<ParticipantId, MemberCall>();

  constructor(clock: Clock) {
    this.dialled = new DialledEndpoints(clock, (room) => {
      this.events.emit('changed', room);
    });
  }

  add(member: MemberCall): void {
    this.#byCall.set(member.call, member);
    this.#byParticipant.set(member.participant.id, member);
  }

  remove(call: SessionCall): void {
    const member = this.#byCall.get(call);
    if (member === undefined) return;
    this.#byCall.delete(call);
    this.#byParticipant.delete(member.participant.id);
    this.events.emit('removed', member.participant.room.number);
  }

  setAudio(call: SessionCall, audio: MediaStatus): void {
    const member = this.#byCall.get(call);
    if (member === undefined || member.audio === audio) return;
    member.audio = audio;
    this.events.emit('changed', member.participant.room.number);
  }

  setVideo(call: SessionCall, video: MediaStatus | undefined): void {
    const member = this.#byCall.get(call);
    if (member === undefined || member.video === video) return;
    member.video = video;
    this.events.emit('changed', member.participant.room.number);
  }

  ofCall(call: SessionCall | undefined): MemberCall | undefined {
    return call && this.#byCall.get(call);
  }

  ofParticipant(id: ParticipantId): MemberCall | undefined {
    return this.#byParticipant.get(id);
  }

  ofCallId(callId: string): MemberCall | undefined {
    return [...this.#byCall.values()].find(({ call }) => call.dialogId?.callId === callId);
  }

  /**
   * The member that a request outside its call is from: the same user in From, and from the host that
   * the call came from. A From alone is anybody's to write; its port is no part of who somebody is, but
   * tells two phones of one host apart.
   */
  sender(room: RoomNumber, request: SipRequest, flow: RemoteFlow): MemberCall | undefined {
    const from = addressKey(request.from.uri.text);
    const found = [...this.#byCall.values()].filter(
      ({ participant, flow: own }) =>
        participant.room.number === room &&
        own?.remote.address === flow.remote.address &&
        withoutPort(addressKey(participant.address)) === withoutPort(from),
    );

    return found.find(({ participant }) => addressKey(participant.address) === from) ?? found[0];
  }
}

/** What a negotiated stream is to the phone: the mirror of what it is to us. */
export function phoneStatus({
  localDirection,
}: Pick<NegotiatedAudio, 'localDirection'>): MediaStatus {
  if (localDirection === 'sendonly') return 'recvonly';

  return localDirection === 'recvonly' ? 'sendonly' : localDirection;
}

/** Only "methods … the UA … supports" may be sent to it (RFC 3261 20.5). */
export function allows(introduction: SipMessage | undefined, method: string): boolean {
  return introduction?.headers.list('allow').some((each) => each.toUpperCase() === method) === true;
}

/** An address of record without what may differ from one request to the next. */
function addressKey(address: string): string {
  return address
    .replace(/^sips?:/i, '')
    .replace(/[;?].*$/, '')
    .toLowerCase();
}

function withoutPort(address: string): string {
  return address.replace(/:\d+$/, '');
}
