import type { ParticipantId, RoomNumber } from '../../base/index.ts';
import type { CallQuality } from '../../media/index.ts';
import type { CloseReason } from '../close-reason.ts';
import type { ParticipantKind } from '../ports.ts';

/** A call that is over, or a browser's stay. */
export interface Cdr extends Partial<CallQuality> {
  /** Of the participant. */
  id: ParticipantId;
  room: RoomNumber;
  kind: ParticipantKind;
  name: string;
  address: string;
  /** ISO 8601. */
  startedAt: string;
  endedAt: string;
  /** Seconds. */
  duration: number;
  reason: CloseReason;
  packetsReceived?: number;
}

/** Milliseconds since the epoch, of the calls' ends; both ends included. */
export interface CdrQuery {
  from?: number;
  to?: number;
  room?: RoomNumber;
  limit: number;
}

/** Rejects when it does not answer. */
export interface CdrStore {
  add(record: Cdr): Promise<void>;
  /** The newest first. */
  find(query: CdrQuery): Promise<Cdr[]>;
}

/** How the calls sound that stand now. */
export interface CallQualities {
  /** Undefined: no such call, or it has no audio. */
  qualityOf(callId: string): Promise<CallQuality | undefined>;
}
