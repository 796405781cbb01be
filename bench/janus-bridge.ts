/** Debian's Janus with its AudioBridge, joined by plain RTP: the peer that the mix is held against. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { audioCodec } from '../media/index.ts';
import type { LoadCodec } from './load-tracks.ts';

const PORT = 8188;
const KEEP_ALIVE_MS = 20_000;
const LIBRARIES = '/usr/lib';

interface JanusMessage {
  janus: string;
  transaction?: string;
  data?: { id: number };
  error?: { reason: string };
  plugindata?: { data: { audiobridge?: string; error?: string; rtp?: { port: number } } };
}

export interface JanusLeg {
  room: number;
  codec: LoadCodec;
  rtpPort: number;
}

export class JanusBridge {
  readonly process: ChildProcess;
  readonly #socket: WebSocket;
  readonly #pending = new Map<string, (message: JanusMessage) => void>();
  readonly #keepAlive: NodeJS.Timeout;
  #session = 0;
  #transactions = 0;

  private constructor(child: ChildProcess, socket: WebSocket) {
    this.process = child;
    this.#socket = socket;
    socket.on('message', (data: Buffer) => {
      this.#onMessage(JSON.parse(data.toString('utf8')) as JanusMessage);
    });
    this.#keepAlive = setInterval(() => {
      void this.#ask({ janus: 'keepalive' });
    }, KEEP_ALIVE_MS);
  }

  static async start(folder: string, core: number): Promise<JanusBridge> {
    const config = writeConfig(folder);
    // It sometimes dies when it is ended under full load: its image of a gigabyte is of no use here.
    const command = `ulimit -n 20000; ulimit -c 0; exec taskset -c ${core} nice -n -15 "$0" "$@"`;
    const args = ['-F', config, '-C', path.join(config, 'janus.jcfg'), '-o'];
    const child = spawn('sh', ['-c', command, 'janus', ...args], { stdio: 'ignore' });
    const bridge = new JanusBridge(child, await connect());
    bridge.#session = (await bridge.#ask({ janus: 'create' })).data?.id ?? 0;

    return bridge;
  }

  /** Opens the rooms and lets the legs in; answers where each must send its audio to. */
  async join(legs: readonly JanusLeg[], sampleRate: number): Promise<number[]> {
    const control = await this.#attach();
    for (const room of new Set(legs.map((leg) => leg.room))) {
      await this.#request(control, {
        request: 'create',
        room,
        sampling_rate: sampleRate,
        allow_rtp_participants: true,
        audiolevel_event: false,
      });
    }
    const ports: number[] = [];
    for (const [index, { room, codec, rtpPort }] of legs.entries()) {
      const handle = await this.#attach();
      const { payloadType } = audioCodec(codec);
      const answer = await this.#request(handle, {
        request: 'join',
        room,
        id: index + 1,
        display: `p${index}`,
        codec: codec.toLowerCase(),
        rtp: { ip: '127.0.0.1', port: rtpPort, payload_type: payloadType },
      });
      ports.push(answer.plugindata?.data.rtp?.port ?? 0);
    }

    return ports;
  }

  async close(): Promise<void> {
    clearInterval(this.#keepAlive);
    this.#socket.close();
    const ended = once(this.process, 'exit');
    this.process.kill('SIGTERM');
    await Promise.race([ended, delay(3000)]);
    this.process.kill('SIGKILL');
  }

  async #attach(): Promise<number> {
    const plugin = 'janus.plugin.audiobridge';

    return (await this.#ask({ janus: 'attach', plugin })).data?.id ?? 0;
  }

  async #request(handle: number, body: object): Promise<JanusMessage> {
    const answer = await this.#ask({ janus: 'message', handle_id: handle, body });
    const error = answer.plugindata?.data.error;
    if (error !== undefined) throw new Error(`Janus: ${error}`);

    return answer;
  }

  #ask(message: object): Promise<JanusMessage> {
    const transaction = `t${++this.#transactions}`;
    const session = this.#session === 0 ? {} : { session_id: this.#session };
    const answer = new Promise<JanusMessage>((resolve, reject) => {
      this.#pending.set(transaction, (reply) => {
        if (reply.error === undefined) resolve(reply);
        else reject(new Error(`Janus: ${reply.error.reason}`));
      });
    });
    this.#socket.send(JSON.stringify({ ...message, ...session, transaction }));

    return answer;
  }

  #onMessage(message: JanusMessage): void {
    const { transaction } = message;
    if (transaction === undefined || transaction === '') return;
    const isKeepAlive = message.janus === 'ack' && this.#pending.has(transaction);
    // "ack" says that the answer to a request comes later; to a keepalive it is the answer.
    if (isKeepAlive) return;
    this.#pending.get(transaction)?.(message);
    this.#pending.delete(transaction);
  }
}

async function connect(): Promise<WebSocket> {
  for (let tries = 0; tries < 100; tries++) {
    await delay(100);
    const socket = new WebSocket(`ws://127.0.0.1:${PORT}`, 'janus-protocol');
    try {
      await once(socket, 'open');

      return socket;
    } catch {
      // Not up yet.
    }
  }
  throw new Error('Janus did not come up');
}

function writeConfig(folder: string): string {
  const home = path.join(folder, 'janus');
  mkdirSync(home, { recursive: true });
  const base = path.join(
    LIBRARIES,
    readdirSync(LIBRARIES).find((name) => name.endsWith('-linux-gnu')) ?? '',
    'janus',
  );
  // Only what the AudioBridge needs is loaded.
  const others = (kind: string, wanted: string): string =>
    readdirSync(path.join(base, kind))
      .filter((name) => name.endsWith('.so') && !name.includes(wanted))
      .join(',');
  writeFileSync(
    path.join(home, 'janus.jcfg'),
    `general: { configs_folder = "${home}"
 plugins_folder = "${base}/plugins"
 transports_folder = "${base}/transports"
 events_folder = "/nonexistent"
 loggers_folder = "/nonexistent"
 debug_level = 2
 session_timeout = 0 }
plugins: { disable = "${others('plugins', 'audiobridge')}" }
transports: { disable = "${others('transports', 'websockets')}" }
`,
  );
  writeFileSync(
    path.join(home, 'janus.transport.websockets.jcfg'),
    `general: { json = "compact"
 ws = true
 ws_port = ${PORT}
 ws_ip = "127.0.0.1" }
`,
  );
  writeFileSync(
    path.join(home, 'janus.plugin.audiobridge.jcfg'),
    `general: { local_ip = "127.0.0.1"
 rtp_port_range = "40000-59999" }
`,
  );

  return home;
}
