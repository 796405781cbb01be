/** What the server and a compositor's process say to each other. */
import type { GridCodec } from './frame-assembler.ts';

export type { GridCodec } from './frame-assembler.ts';

export interface GridStream {
  codec: GridCodec;
  ssrc: number;
  payloadType: number;
}

/** One place of the picture. */
export interface GridTile {
  /** The same as long as the same stream is shown. */
  id: string;
  name: string;
  /** Speaks now. */
  highlighted: boolean;
  /** Undefined: it sends nothing that can be shown; its name is. */
  stream?: GridStream;
}

/** A codec that the picture is sent in. */
export interface GridOutput extends GridStream {
  /** Bits a second that all who see it take; undefined: as the settings say. */
  bitrate?: number;
}

/** All that is to be shown and sent; each replaces the one before. */
export interface GridScene {
  type: 'scene';
  /** Port on the loopback that packets are sent to; they come from there too. */
  peerPort: number;
  tiles: GridTile[];
  outputs: GridOutput[];
}

/** What a compositor is started with. */
export interface GridSettings {
  framesPerSecond: number;
  /** Of one core. */
  cpuShare: number;
  /** Bits a second of each encoded stream. */
  bitrate: number;
}

export interface GridReport {
  type: 'report';
  /** Since the start of the process. */
  cpuSeconds: number;
  framesEncoded: number;
  /** Pictures that were due and not made. */
  framesDropped: number;
  framesDecoded: number;
  /** Frames that came and were not decoded: there was no CPU for them, or they were broken. */
  framesDiscarded: number;
}

/** Process → server. */
export type GridMessage =
  | { type: 'ready'; port: number }
  | GridReport
  /** It cannot do its work on this machine, and will not be able to when it is started again. */
  | { type: 'unusable'; reason: string };
