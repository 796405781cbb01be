import type { PhoneVideoLeg } from '../../media/index.ts';
import type {
  CallProgress,
  CloseReason,
  Participant,
  ParticipantSink,
  RoomEvent,
} from '../../server/index.ts';
import type { AudioCapabilities, SdpSession } from '../sdp/index.ts';
import { PhoneCall, type PhoneCallOptions } from './gateway.ts';
import type { DialledEndpoint, DisconnectionMethod } from './focus/index.ts';
import type { SipMessage } from './message/index.ts';
import type { MixedSession } from './negotiation/index.ts';
import { closeReasonOf, reasonHeader } from './reason-map.ts';
import type { CallEnd, OutgoingCall, OutgoingCallParts } from './ua/index.ts';

/** One way to the callee: a device of an account, a trunk or a URI. */
export interface Destination extends Pick<
  OutgoingCallParts,
  'to' | 'routes' | 'flow' | 'credentials'
> {
  /** What is offered there; by default what is offered to anybody. */
  readonly capabilities?: AudioCapabilities;
  /** Its registration, or its trunk's setting, says that it can do video. */
  readonly hasVideo?: boolean;
  readonly isTrunk?: boolean;
}

/** With what it is offered; a page has a session of its own beside the leg. */
export interface OfferedDestination {
  readonly destination: Destination;
  readonly offer: SdpSession;
  readonly mixed?: MixedSession;
  /** The place of its video, where that stands in the offer. */
  readonly video?: PhoneVideoLeg | undefined;
}

/** How long it may ring. */
const ANSWER_TIMEOUT = 60_000;
const ELSEWHERE: [string, string][] = [['Reason', 'SIP;cause=200;text="Call completed elsewhere"']];

type Dial = (
  destination: Destination,
  parts: Pick<OutgoingCallParts, 'answerTimeout' | 'onProgress' | 'offer'>,
) => OutgoingCall;

/** A participant that is being called: all its devices ring, the first that answers has the seat. */
export class DialedPhone implements ParticipantSink {
  readonly #options: PhoneCallOptions;
  readonly #onProgress: (progress: CallProgress) => void;
  readonly #onTalking: (call: OutgoingCall) => void;
  readonly #ringing = new Map<OutgoingCall, OfferedDestination>();
  #participant: Participant | undefined;
  #phone: PhoneCall | undefined;
  #ringingStatus = 0;
  #isOver = false;
  #status: number | undefined;

  /** `onTalking`: the call that was answered stands, with its audio. */
  constructor(
    options: PhoneCallOptions,
    onProgress: (progress: CallProgress) => void,
    onTalking: (call: OutgoingCall) => void,
  ) {
    this.#options = options;
    this.#onProgress = onProgress;
    this.#onTalking = onTalking;
  }

  /** Once, when there is a seat. */
  ring(participant: Participant, destinations: readonly OfferedDestination[], dial: Dial): void {
    this.#participant = participant;
    // The room may have closed while the seat was made.
    if (this.#isOver) return;
    this.#show({ status: 'dialing-out' });
    for (const offered of destinations) {
      const call = dial(offered.destination, {
        offer: offered.offer,
        answerTimeout: ANSWER_TIMEOUT,
        onProgress: ({ status }) => {
          if (status >= 180) this.#reportRinging(status);
        },
      });
      this.#ringing.set(call, offered);
      call.events.on('established', (answer) => {
        this.#answered(call, offered, answer);
      });
      call.events.on('ended', (end) => {
        this.#failed(call, end);
      });
    }
  }

  notify(event: RoomEvent): void {
    this.#phone?.notify(event);
  }

  ended(reason: CloseReason): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cancelAll([['Reason', reasonHeader(reason)]]);
    this.#phone?.ended(reason);
    this.#show({ status: 'disconnected', method: this.#disconnection(reason) });
    const status = this.#status;
    this.#onProgress({ state: 'ended', reason, ...(status !== undefined && { status }) });
  }

  #reportRinging(status: number): void {
    if (this.#ringingStatus === status || this.#phone !== undefined || this.#isOver) return;
    this.#ringingStatus = status;
    // RFC 4575 5.7.2: "alerting" is for 180.
    if (status === 180) this.#show({ status: 'alerting' });
    this.#onProgress({ state: 'ringing', status });
  }

  /** In the roster of those who watch the room. */
  #show(state: DialledEndpoint['state']): void {
    if (this.#participant === undefined) return;
    const { id, name, address, room } = this.#participant;
    this.#options.calls.dialled.set({ id, name, address, room: room.number, state });
  }

  #disconnection(reason: CloseReason): DisconnectionMethod {
    if (this.#status === 486 || this.#status === 600) return 'busy';
    if (reason === 'kicked' || reason === 'room-ended') return 'booted';

    return this.#phone !== undefined && (reason === 'left' || reason === 'replaced')
      ? 'departed'
      : 'failed';
  }

  #answered(
    call: OutgoingCall,
    { destination, offer, mixed, video }: OfferedDestination,
    answer: SdpSession | undefined,
  ): void {
    const participant = this.#participant;
    const isFirst = this.#phone === undefined && !this.#isOver;
    this.#ringing.delete(call);
    if (!isFirst || participant === undefined || answer === undefined) {
      call.hangUp(ELSEWHERE);
      mixed?.close();
      return;
    }
    this.#phone = new PhoneCall(call, this.#options, destination.capabilities);
    this.#cancelAll(ELSEWHERE);
    this.#options.calls.dialled.joined(participant.id);
    this.#onProgress({ state: 'answered' });
    const { isTrunk } = destination;
    void this.#phone.adopt(participant, offer, answer, { mixed, video, isTrunk }).then(() => {
      if (!this.#isOver) this.#onTalking(call);
    });
  }

  #failed(call: OutgoingCall, end: CallEnd): void {
    this.#ringing.get(call)?.mixed?.close();
    if (!this.#ringing.delete(call) || this.#phone !== undefined || this.#isOver) return;
    const status = statusOf(end.message);
    // The best response of all forks would be reported by a proxy (RFC 3261 16.7); here the last.
    this.#status = status ?? this.#status;
    // "6xx … cancel all outstanding client transactions" (16.7).
    if (status !== undefined && status >= 600) this.#cancelAll([]);
    if (this.#ringing.size > 0) return;
    void this.#participant?.leave(closeReasonOf(end));
  }

  #cancelAll(headers: [string, string][]): void {
    const calls = [...this.#ringing];
    this.#ringing.clear();
    for (const [call, { mixed }] of calls) {
      call.hangUp(headers);
      mixed?.close();
    }
  }
}

function statusOf(message: SipMessage | undefined): number | undefined {
  return message?.kind === 'response' ? message.status : undefined;
}
