import type { VideoSource } from './choose-source.ts';
import { beginsIdr, ParameterSets } from './h264.ts';
import { ReorderBuffer, type VideoPacket } from './reorder-buffer.ts';
import { readVp8 } from './vp8.ts';

/** A packet in order, and what is to be known of it. */
export interface FeedPacket {
  packet: VideoPacket;
  lostBefore: number;
  /** A picture begins that needs no other. */
  keyFrame: boolean;
}

/** One source on its way to a phone: in order, with what a decoder that joins now needs. */
export class SourceFeed {
  readonly source: VideoSource;
  readonly sets = new ParameterSets();
  readonly #reorder: ReorderBuffer;
  #now = 0;

  constructor(source: VideoSource, deliver: (packet: FeedPacket, now: number) => void) {
    this.source = source;
    this.#reorder = new ReorderBuffer((packet, lostBefore) => {
      this.sets.note(packet.payload, packet.timestamp);
      deliver({ packet, lostBefore, keyFrame: this.#isKeyFrame(packet) }, this.#now);
    });
  }

  push(packet: VideoPacket, now: number): void {
    this.#now = now;
    this.#reorder.push(packet, now);
  }

  #isKeyFrame({ payload }: VideoPacket): boolean {
    if (this.source.codec === 'VP8') return readVp8(payload)?.keyFrame === true;

    return this.sets.known && beginsIdr(payload);
  }
}
