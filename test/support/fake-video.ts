import { TypedEmitter } from '../../base/index.ts';
import type {
  PhoneVideo,
  PhoneVideoContent,
  PhoneVideoEvents,
  PhoneVideoLeg,
  PhoneVideoStats,
} from '../../media/index.ts';

/** A phone's video without packets: notes what it is told; tests emit its events themselves. */
export class FakePhoneVideo implements PhoneVideoLeg {
  readonly content: PhoneVideoContent;
  readonly events = new TypedEmitter<PhoneVideoEvents>();
  readonly rtpPort: number;
  readonly rtcpPort: number;
  readonly ssrc = 0x1111_1111;
  readonly rtxSsrc = 0x2222_2222;
  readonly configured: PhoneVideo[] = [];
  readonly #changed: () => void;
  keyFrameRequests = 0;
  closed = false;

  constructor(content: PhoneVideoContent, rtpPort: number, changed: () => void) {
    this.content = content;
    this.rtpPort = rtpPort;
    this.rtcpPort = rtpPort + 1;
    this.#changed = changed;
  }

  get current(): PhoneVideo | undefined {
    return this.closed ? undefined : this.configured.at(-1);
  }

  configure(video: PhoneVideo): Promise<void> {
    this.configured.push(video);
    this.#changed();

    return Promise.resolve();
  }

  requestKeyFrame(): void {
    this.keyFrameRequests++;
  }

  stats(): PhoneVideoStats {
    return {
      codec: this.current?.codec,
      packetsReceived: 0,
      packetsLost: 0,
      packetsSent: 0,
      octetsSent: 0,
      jitter: 0,
      switches: 0,
      keyFramesRequested: 0,
      keyFrameRequests: this.keyFrameRequests,
      retransmitted: 0,
      tooLong: 0,
    };
  }

  async close(): Promise<void> {
    if (this.closed) return;
    await Promise.resolve();
    this.closed = true;
    this.#changed();
    this.events.emit('closed');
  }
}
