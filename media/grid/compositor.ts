import { RtpPacketView, isRtcp, parseRtcp, writeRtcp } from '../rtp/index.ts';
import type { AvFrame, AvLibrary } from './av-library.ts';
import { Canvas } from './canvas.ts';
import { CpuBudget } from './cpu-budget.ts';
import type { GridReport, GridScene, GridSettings, GridTile } from './grid-protocol.ts';
import { KeyFramePace } from './key-frame-pace.ts';
import { OutputStream } from './output-stream.ts';
import { PICTURE, tileRects, type Rect } from './tiles.ts';
import { StreamDecoder } from './stream-decoder.ts';

/** Between two requests for a key frame of the same sender. */
const KEY_REQUEST_INTERVAL = 1000;
/** Whom our feedback is from: it stands in no stream. */
const FEEDBACK_SSRC = 1;

export interface CompositorDeps {
  send(packet: Uint8Array, port: number): void;
  /** Milliseconds. */
  now(): number;
  /** Seconds of CPU that the process used. */
  cpuSeconds(): number;
}

interface Tile {
  tile: GridTile;
  rect: Rect;
  decoder: StreamDecoder | undefined;
  keyRequests: KeyFramePace;
}

/**
 * The work of a compositor's process: packets of many streams become one picture, which is encoded
 * once for each codec. All calls into FFmpeg are synchronous, as nothing else runs here that could
 * wait for them.
 */
export class Compositor {
  readonly #av: AvLibrary;
  readonly #settings: GridSettings;
  readonly #deps: CompositorDeps;
  readonly #budget: CpuBudget;
  readonly #canvas = new Canvas();
  readonly #frame: AvFrame;
  readonly #view = new RtpPacketView();
  readonly #decoderCounts = { decoded: 0, discarded: 0 };
  readonly #started: number;
  #tiles: Tile[] = [];
  #outputs: OutputStream[] = [];
  #peerPort = 0;
  #applying: Promise<void> = Promise.resolve();
  #redraw = true;
  #encoded = 0;
  #dropped = 0;

  constructor(av: AvLibrary, settings: GridSettings, deps: CompositorDeps) {
    this.#av = av;
    this.#settings = settings;
    this.#deps = deps;
    this.#started = deps.now();
    this.#budget = new CpuBudget(settings.cpuShare, deps.cpuSeconds(), this.#started);
    this.#frame = new av.Frame();
    this.#frame.alloc();
    this.#frame.width = PICTURE.width;
    this.#frame.height = PICTURE.height;
    this.#frame.format = av.AV_PIX_FMT_YUV420P;
    this.#frame.getBuffer(32);
  }

  /** Scenes are taken one after the other: opening a codec takes a moment. */
  show(scene: GridScene): Promise<void> {
    this.#applying = this.#applying.then(() => this.#apply(scene));

    return this.#applying;
  }

  receive(data: Uint8Array, fromPort: number): void {
    if (fromPort !== this.#peerPort) return;
    if (isRtcp(data)) {
      this.#feedback(data);

      return;
    }
    if (!this.#view.parse(data)) return;
    const { ssrc } = this.#view;
    const tile = this.#tiles.find(({ decoder }) => decoder?.stream.ssrc === ssrc);
    tile?.decoder?.receive(this.#view, this.#deps.now());
  }

  /** One picture, unless the CPU's share is used up. */
  tick(): void {
    const now = this.#deps.now();
    this.#requestKeys(now);
    if (!this.#budget.allows(this.#deps.cpuSeconds(), now)) {
      this.#dropped++;

      return;
    }
    this.#compose(now);
    this.#encode(now);
  }

  report(): GridReport {
    return {
      type: 'report',
      cpuSeconds: this.#deps.cpuSeconds(),
      framesEncoded: this.#encoded,
      framesDropped: this.#dropped,
      framesDecoded: this.#decoderCounts.decoded,
      framesDiscarded: this.#decoderCounts.discarded,
    };
  }

  async #apply({ tiles, outputs, peerPort }: GridScene): Promise<void> {
    const rects = tileRects(tiles.length);
    const old = this.#tiles;
    const next: Tile[] = [];
    for (const [index, tile] of tiles.entries()) {
      const kept = old.find(({ decoder }) => isSame(decoder, tile));
      next.push({
        tile,
        rect: rects[index]!,
        decoder: kept?.decoder ?? (await this.#openDecoder(tile)),
        keyRequests: kept?.keyRequests ?? askedPace(),
      });
    }
    for (const { decoder } of old) {
      if (!next.some((tile) => tile.decoder === decoder)) decoder?.close();
    }
    this.#tiles = next;
    this.#peerPort = peerPort;
    this.#redraw = true;
    await this.#applyOutputs(outputs);
  }

  async #openDecoder({ stream }: GridTile): Promise<StreamDecoder | undefined> {
    return stream && (await StreamDecoder.open(this.#av, stream, this.#decoderCounts));
  }

  async #applyOutputs(wanted: GridScene['outputs']): Promise<void> {
    const next: OutputStream[] = [];
    for (const { bitrate: limit, ...stream } of wanted) {
      const bitrate = Math.min(limit ?? Infinity, this.#settings.bitrate);
      const settings = { ...this.#settings, size: PICTURE, bitrate };
      const kept = this.#outputs.find((output) => output.stream.ssrc === stream.ssrc);
      await kept?.setBitrate(bitrate);
      next.push(kept ?? (await OutputStream.open(this.#av, stream, settings)));
    }
    for (const output of this.#outputs) if (!next.includes(output)) output.close();
    this.#outputs = next;
  }

  #feedback(data: Uint8Array): void {
    for (const packet of parseRtcp(data) ?? []) {
      if (packet.type !== 'PLI') continue;
      this.#outputs.find(({ stream }) => stream.ssrc === packet.mediaSsrc)?.askForKey();
    }
  }

  #requestKeys(now: number): void {
    for (const { decoder, keyRequests } of this.#tiles) {
      if (decoder?.needsKey !== true) continue;
      keyRequests.ask();
      if (!keyRequests.take(now)) continue;
      const packet = new Uint8Array(16);
      const mediaSsrc = decoder.stream.ssrc;
      const length = writeRtcp(packet, [{ type: 'PLI', senderSsrc: FEEDBACK_SSRC, mediaSsrc }]);
      this.#deps.send(packet.subarray(0, length), this.#peerPort);
    }
  }

  #compose(now: number): void {
    if (this.#redraw) this.#canvas.clear();
    for (const { tile, rect, decoder } of this.#tiles) {
      const fresh = decoder?.decode(now) ?? false;
      if (!fresh && !this.#redraw) continue;
      const { name, highlighted } = tile;
      this.#canvas.draw({ rect, name, highlighted, shown: decoder?.scaled(rect) });
    }
    this.#redraw = false;
  }

  #encode(now: number): void {
    if (this.#outputs.length === 0) return;
    this.#frame.makeWritable();
    this.#frame.fromBuffer(this.#canvas.picture.data);
    const time = Math.round((now - this.#started) * 90);
    this.#frame.pts = BigInt(time);
    for (const output of this.#outputs) {
      if (
        !output.send(this.#frame, time, now, (packet) => {
          this.#deps.send(packet, this.#peerPort);
        })
      )
        continue;
      this.#encoded++;
    }
  }
}

function isSame(decoder: StreamDecoder | undefined, { stream }: GridTile): boolean {
  if (decoder === undefined || stream === undefined) return false;
  const { ssrc, codec, payloadType } = decoder.stream;

  return ssrc === stream.ssrc && codec === stream.codec && payloadType === stream.payloadType;
}

function askedPace(): KeyFramePace {
  return new KeyFramePace(KEY_REQUEST_INTERVAL);
}
