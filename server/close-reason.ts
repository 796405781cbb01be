/**
 * Why a participant or a room ended: the one list. Each front end maps it to its own protocol
 * (`signaling/sip/reason-map.ts`, `signaling/websocket/protocol.ts`); `docs/closures.md` explains it.
 */

/** Whose doing the end was, for statistics and for the tone of the message. */
export type Fault = 'nobody' | 'participant' | 'network' | 'server';

export interface CloseReasonInfo {
  readonly fault: Fault;
  /** Trying again at once, unchanged, may succeed. */
  readonly retryable: boolean;
  readonly text: string;
}

const TABLE = {
  left: { fault: 'nobody', retryable: true, text: 'left the room' },
  cancelled: { fault: 'nobody', retryable: true, text: 'gave up before the room answered' },
  disconnected: { fault: 'network', retryable: true, text: 'the connection was lost' },
  replaced: { fault: 'participant', retryable: false, text: 'continued on another connection' },
  kicked: { fault: 'nobody', retryable: false, text: 'removed by a host' },
  'room-ended': { fault: 'nobody', retryable: false, text: 'the meeting was ended for all' },
  'room-full': { fault: 'nobody', retryable: true, text: 'the room is full' },
  rejected: { fault: 'participant', retryable: false, text: 'not admitted' },
  'pin-refused': { fault: 'participant', retryable: true, text: 'no right PIN was given' },
  'not-dialled': { fault: 'participant', retryable: true, text: 'no room was chosen' },
  'not-acceptable': { fault: 'participant', retryable: false, text: 'no common media format' },
  'media-timeout': { fault: 'network', retryable: true, text: 'no media arrived any more' },
  'media-failed': { fault: 'server', retryable: true, text: 'the media of the room failed' },
  'no-ack': { fault: 'network', retryable: true, text: 'the answer was never acknowledged' },
  'protocol-error': { fault: 'participant', retryable: false, text: 'broke the protocol' },
  'internal-error': { fault: 'server', retryable: true, text: 'an error in the server' },
  'server-shutdown': { fault: 'server', retryable: true, text: 'the server is shutting down' },
} as const satisfies Record<string, CloseReasonInfo>;

export type CloseReason = keyof typeof TABLE;

export const CLOSE_REASONS = Object.keys(TABLE) as CloseReason[];

export function closeReasonInfo(reason: CloseReason): CloseReasonInfo {
  return TABLE[reason];
}
