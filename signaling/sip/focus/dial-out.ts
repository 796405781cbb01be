import type { ParticipantId, RoomNumber } from '../../../base/index.ts';
import type { ExtraHeaders, NameAddr } from '../message/index.ts';

export interface DialOutRequest {
  readonly room: RoomNumber;
  readonly to: NameAddr;
  /** Who asked for it. */
  readonly by: ParticipantId;
  /** Referred-By, Replaces: what the asker wants said in the INVITE. */
  readonly headers: ExtraHeaders;
  /** 101–199. */
  readonly onProgress: (status: number, reason: string) => void;
  /** Once: 200, or why it came to nothing. */
  readonly onFinal: (status: number, reason: string) => void;
}

/** Calls somebody into a room. */
export interface DialOut {
  dialOut(request: DialOutRequest): void;
}
