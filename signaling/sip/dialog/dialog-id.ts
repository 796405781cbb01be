import type { SipRequest } from '../message/index.ts';

/** What tells one dialog from another (RFC 3261 12), as we see it: local is ours. */
export interface DialogId {
  readonly callId: string;
  readonly localTag: string;
  /** Empty for RFC 2543 peers: "the tag is null" (12.1.1). */
  readonly remoteTag: string;
}

/** The dialog that a request from the far end belongs to. */
export function dialogIdOfRequest(request: SipRequest): DialogId {
  return {
    callId: request.callId,
    localTag: request.toTag ?? '',
    remoteTag: request.fromTag ?? '',
  };
}

/** A key for maps; no part may contain a line feed. */
export function dialogKey({ callId, localTag, remoteTag }: DialogId): string {
  return `${callId}\n${localTag}\n${remoteTag}`;
}
