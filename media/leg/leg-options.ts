import type { Clock, LegId } from '../../base/index.ts';
import type { PortPair } from '../rtp/index.ts';

export interface RtpLegOptions {
  id: LegId;
  clock: Clock;
  ports: PortPair;
  bindAddress: string;
  mixRate: number;
  rtpTimeout: number;
  /** The mark of what is sent. */
  dscp?: number;
  handlers: RtpLegHandlers;
}

/** Whoever has the leg now. */
export interface RtpLegHandlers {
  onDtmf(digit: string, durationMs: number): void;
  onTimeout(): void;
  /** An announcement is over; complete: it was not stopped. */
  onPlayed(playId: number, complete: boolean): void;
}
