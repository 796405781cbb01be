import { TimerSet, type Clock, type ParticipantId, type RoomNumber } from '../../../base/index.ts';

/** RFC 4575 5.7.4. */
export type DisconnectionMethod = 'departed' | 'booted' | 'failed' | 'busy';

/** Somebody who is being called and is no participant yet, or was called and is none any more. */
export interface DialledEndpoint {
  readonly id: ParticipantId;
  readonly room: RoomNumber;
  readonly name: string;
  readonly address: string;
  readonly state:
    | { readonly status: 'dialing-out' | 'alerting' }
    | { readonly status: 'disconnected'; readonly method: DisconnectionMethod };
}

/** Longer than the pause between two NOTIFYs, so that every subscriber sees it before it is deleted. */
const SHOWN_AFTER = 10_000;

/** Those whom rooms call, for their rosters. */
export class DialledEndpoints {
  readonly #onChange: (room: RoomNumber) => void;
  readonly #endpoints = new Map<ParticipantId, DialledEndpoint>();
  readonly #timers: TimerSet;

  constructor(clock: Clock, onChange: (room: RoomNumber) => void) {
    this.#onChange = onChange;
    this.#timers = new TimerSet(clock);
  }

  set(endpoint: DialledEndpoint): void {
    this.#endpoints.set(endpoint.id, endpoint);
    this.#onChange(endpoint.room);
    if (endpoint.state.status !== 'disconnected') return;
    this.#timers.start(endpoint.id, SHOWN_AFTER, () => {
      this.#endpoints.delete(endpoint.id);
      this.#onChange(endpoint.room);
    });
  }

  /** It is a participant now, and shown as that. */
  joined(id: ParticipantId): void {
    this.#endpoints.delete(id);
  }

  in(room: RoomNumber): DialledEndpoint[] {
    return [...this.#endpoints.values()].filter((endpoint) => endpoint.room === room);
  }

  close(): void {
    this.#timers.close();
  }
}
