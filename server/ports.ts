/**
 * What server/ asks of the layers above it and of its store: interfaces only, declared here so that
 * calls go up without imports going up.
 *
 * The order of events, which every front end may rely on:
 * 1. `RoomManager.join` resolves with a participant in state `joining`. It is on no roster, hears of
 *    nothing, and counts as a seat.
 * 2. The front end replies (ack, 200 OK) with what `participant.room` says now, then calls
 *    `participant.activate()`. Reply and `activate()` in one turn of the event loop leave no gap:
 *    what is not in the reply arrives as an event.
 * 3. `activate()` tells the others `participant-joined`, then `producer-added` for each stream.
 * 4. For one participant `producer-removed` of all its streams come before its `participant-left`,
 *    which is the last event that names it.
 * 5. `sink.ended` is the last call of a sink; it comes exactly once, whoever began the end. It never
 *    comes when `join` rejects. It may come before `activate()`, which then does nothing.
 */
import type { ParticipantId, ProducerId, RoomNumber } from '../base/index.ts';
import type { MediaKind, MediaSource } from '../media/index.ts';
import type { CloseReason } from './close-reason.ts';

export type ParticipantKind = 'browser' | 'phone';
export type ParticipantRole = 'host' | 'guest';

/** A participant as the REST API and the roster of browsers show it. */
export interface ParticipantView {
  id: ParticipantId;
  name: string;
  kind: ParticipantKind;
  /** Where it comes from: a SIP URI, or the IP address of a browser. */
  address: string;
  role: ParticipantRole;
  state: 'lobby' | 'joined';
  muted: boolean;
  speaking: boolean;
  handRaised: boolean;
  video: boolean;
  /** ISO 8601. */
  joinedAt: string;
}

/** A stream that browsers may consume. */
export interface ProducerView {
  id: ProducerId;
  participantId: ParticipantId;
  kind: MediaKind;
  source: MediaSource;
  paused: boolean;
}

export interface RoomView {
  number: RoomNumber;
  name: string;
  /** ISO 8601. */
  createdAt: string;
  /** ISO 8601, when the running meeting began; absent while the room is empty. */
  startedAt?: string;
  maxParticipants: number;
  /** Those who are in the room now. */
  participants: number;
  /** True when it was created by the API and so outlives its meetings. */
  persistent: boolean;
  hostPinSet: boolean;
  guestPinSet: boolean;
}

/** A line that a member wrote. */
export interface ChatMessage {
  /** Unique in its meeting, and rising. */
  id: number;
  participantId: ParticipantId;
  /** As it was when the line was written: its author may have left. */
  name: string;
  text: string;
  /** ISO 8601. */
  at: string;
}

/**
 * What a member is told. `participant-joined|left` and `producer-*` go to the others; the rest goes to
 * everybody, also to the one it is about.
 */
export type RoomEvent =
  | { type: 'participant-joined'; participant: ParticipantView }
  | { type: 'participant-updated'; participant: ParticipantView }
  | { type: 'participant-left'; participantId: ParticipantId; reason: CloseReason }
  | { type: 'speaking'; participantId: ParticipantId; speaking: boolean }
  | { type: 'active-speaker'; participantId: ParticipantId | undefined }
  | { type: 'producer-added'; producer: ProducerView }
  | { type: 'producer-updated'; producer: ProducerView }
  | { type: 'producer-removed'; producerId: ProducerId; participantId: ParticipantId }
  | { type: 'room-updated'; room: RoomView }
  | { type: 'chat-message'; message: ChatMessage };

/** The front end's end of a participant. Neither method may throw or block. */
export interface ParticipantSink {
  notify(event: RoomEvent): void;
  /** The participant is out; its media is closing. Also called when the front end itself began it. */
  ended(reason: CloseReason): void;
}

/** What a room is made of besides its members; what the store keeps of rooms made by the API. */
export interface RoomSettings {
  number: RoomNumber;
  name: string;
  /** Milliseconds since the epoch. */
  createdAt: number;
  maxParticipants?: number;
  hostPin?: string;
  guestPin?: string;
}

/** Where rooms that outlive their meetings are kept. */
export interface RoomStore {
  list(): Promise<RoomSettings[]>;
  find(number: RoomNumber): Promise<RoomSettings | undefined>;
  save(room: RoomSettings): Promise<void>;
  remove(number: RoomNumber): Promise<void>;
}

/** What the SIP stack counts; unknown methods become "OTHER", codes outside 100–699 are dropped. */
export interface SipMetrics {
  requestIn(method: string): void;
  requestOut(method: string): void;
  responseIn(code: number): void;
  responseOut(code: number): void;
  malformed(transport: string): void;
  /** A new request was not served. */
  refused(reason: 'rate' | 'overload'): void;
  callSetup(seconds: number): void;
  reinvite(reason: string, outcome: string): void;
}

/** A call as it went over the wire. */
export interface CallView {
  id: string;
  callId: string;
  direction: 'in' | 'out';
  from: string;
  to: string;
  state: 'ringing' | 'established' | 'ended';
  /** Milliseconds since the epoch. */
  startedAt: number;
  lastAt: number;
  messageCount: number;
}

export interface LadderMessage {
  at: number;
  direction: 'in' | 'out';
  transport: string;
  remote: string;
  summary: string;
  /** Secrets are masked. */
  text: string;
}

/** Where the API learns of calls; the SIP front end has it. */
export interface CallTraces {
  live(): CallView[];
  /** Also of a call that ended not long ago. */
  find(id: string): { call: CallView; messages: LadderMessage[] } | undefined;
}
