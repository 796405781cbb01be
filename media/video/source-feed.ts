import type { VideoSource } from './choose-source.ts';
import { ParameterSets } from './h264.ts';
import { beginsPicture } from './key-frame.ts';
import { ReorderBuffer, type VideoPacket } from './reorder-buffer.ts';

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
    const { codec } = this.source;

    return (codec === 'VP8' || this.sets.known) && beginsPicture(codec, payload);
  }
}
