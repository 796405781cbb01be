import type { Meeting } from './meeting.ts';
import { recall } from './storage.ts';

interface ParleyDebug {
  readonly sessionId: string | undefined;
  /** Every report of every peer connection. */
  peerConnectionStats(): Promise<Record<string, unknown>[]>;
}

declare global {
  interface Window {
    parley?: ParleyDebug;
  }
}

/** Development builds tell everybody; production builds those who ask. */
function isAskedFor(): boolean {
  return (
    import.meta.env.DEV ||
    new URLSearchParams(location.search).has('debug') ||
    recall('parley.debug') === '1'
  );
}

export function exposeMeeting(meeting: Meeting): void {
  if (!isAskedFor()) return;
  window.parley = {
    get sessionId() {
      return meeting.state.sessionId;
    },
    peerConnectionStats: () => meeting.stats(),
  };
}
