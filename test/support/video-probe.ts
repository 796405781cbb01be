import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { GridStream } from '../../media/grid/grid-protocol.ts';
import type { Colour } from '../../media/grid/picture.ts';

export interface SendRequest {
  type: 'send';
  stream: GridStream;
  port: number;
  colour: readonly [y: number, u: number, v: number];
  width: number;
  height: number;
}

export type ProbeRequest =
  | SendRequest
  | { type: 'stop'; ssrc: number }
  | { type: 'watch'; stream: GridStream }
  /** Which stream comes from this port. */
  | { type: 'source'; port: number }
  /** Octets in base64. */
  | { type: 'replay'; stream: GridStream; packets: { time: number; data: string }[] }
  /** Areas as x, y, width, height of a picture of 1280×720. */
  | { type: 'look'; ssrc: number; areas: readonly (readonly number[])[] };

export interface SeenStream {
  packets: number;
  frames: number;
  /** Packets that did not follow the one before; on a busy machine some are lost. */
  gaps: number;
  /** Packets whose number is far from that of the one before. */
  jumps: number;
  /** Octets of the longest payload. */
  longest: number;
}

/** The mean of an area, and its darkest and brightest pixel. */
export interface Look {
  y: number;
  u: number;
  v: number;
  least: number;
  most: number;
}

/** The mean of a whole picture, and when the packet came that completed it. */
export interface ShownPicture {
  time: number;
  colour: Colour;
}

export type ProbeAnswer =
  | { type: 'ready'; port: number }
  | { type: 'replayed'; pictures: ShownPicture[] }
  | { type: 'seen'; stream?: SeenStream; looks: Look[] }
  | { type: 'source'; ssrc: number | undefined };

/** Sends coloured pictures, and looks at what it is sent. */
export class VideoProbe {
  readonly #child: ChildProcess;
  readonly port: number;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  static async start(): Promise<VideoProbe> {
    const entry = join(__dirname, 'video-probe-process.ts');
    const child = fork(entry, { execArgv: ['--disable-warning=ExperimentalWarning'] });
    const [ready] = (await Promise.race([
      once(child, 'message'),
      once(child, 'exit').then(() => {
        throw new Error('the video probe ended at its start');
      }),
    ])) as [ProbeAnswer];
    if (ready.type !== 'ready') throw new Error('the video probe speaks out of turn');

    return new VideoProbe(child, ready.port);
  }

  send(request: Omit<SendRequest, 'type'>): void {
    this.#child.send({ type: 'send', ...request });
  }

  stop(ssrc: number): void {
    this.#child.send({ type: 'stop', ssrc });
  }

  watch(stream: GridStream): void {
    this.#child.send({ type: 'watch', stream });
  }

  /** The SSRC of what comes from a port of the loopback; undefined: nothing yet. */
  async ssrcFrom(port: number): Promise<number | undefined> {
    const answer = once(this.#child, 'message') as Promise<[ProbeAnswer]>;
    this.#child.send({ type: 'source', port });
    const [source] = await answer;
    if (source.type !== 'source') throw new Error('the video probe speaks out of turn');

    return source.ssrc;
  }

  /** What is in these areas of the picture now; none: there was no picture yet. */
  async look(
    ssrc: number,
    areas: readonly (readonly number[])[],
  ): Promise<{ stream: SeenStream; looks: Look[] }> {
    const answer = once(this.#child, 'message') as Promise<[ProbeAnswer]>;
    this.#child.send({ type: 'look', ssrc, areas });
    const [seen] = await answer;
    if (seen.type !== 'seen' || seen.stream === undefined) throw new Error('not watched');

    return { stream: seen.stream, looks: seen.looks };
  }

  /** Every picture of a stream that was captured. */
  async replay(
    stream: GridStream,
    packets: readonly { time: number; payload: Uint8Array }[],
  ): Promise<ShownPicture[]> {
    const answer = once(this.#child, 'message') as Promise<[ProbeAnswer]>;
    const request: ProbeRequest = {
      type: 'replay',
      stream,
      packets: packets.map(({ time, payload }) => ({
        time,
        data: Buffer.from(payload).toString('base64'),
      })),
    };
    this.#child.send(request);
    const [replayed] = await answer;
    if (replayed.type !== 'replayed') throw new Error('the video probe speaks out of turn');

    return replayed.pictures;
  }

  async stopProcess(): Promise<void> {
    this.#child.kill('SIGKILL');
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      await once(this.#child, 'exit');
    }
  }
}
