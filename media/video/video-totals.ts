import type { PhoneVideoLeg, VideoCounters } from '../video-api.ts';

type Counted = Pick<PhoneVideoLeg, 'stats'>;

/** What all video of phones came to, of those that ended too. */
export class VideoTotals {
  readonly #open = new Set<Counted>();
  readonly #past = emptyCounters();

  get open(): number {
    return this.#open.size;
  }

  add(session: Counted): void {
    this.#open.add(session);
  }

  ended(session: Counted): void {
    if (this.#open.delete(session)) addTo(this.#past, session);
  }

  counters(): VideoCounters {
    const total = { ...this.#past };
    for (const session of this.#open) addTo(total, session);

    return total;
  }
}

function emptyCounters(): VideoCounters {
  return {
    packetsIn: 0,
    packetsOut: 0,
    lost: 0,
    switches: 0,
    keyFramesAsked: 0,
    keyFrameRequests: 0,
    retransmitted: 0,
    tooLong: 0,
  };
}

function addTo(into: VideoCounters, session: Counted): void {
  const stats = session.stats();
  into.packetsIn += stats.packetsReceived;
  into.packetsOut += stats.packetsSent;
  into.lost += stats.packetsLost;
  into.switches += stats.switches;
  into.keyFramesAsked += stats.keyFramesRequested;
  into.keyFrameRequests += stats.keyFrameRequests;
  into.retransmitted += stats.retransmitted;
  into.tooLong += stats.tooLong;
}
