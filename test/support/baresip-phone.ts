/** Size: a phone, what it is told, and the long configuration that it is started with. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import path from 'node:path';
import { Child } from './child-process.ts';
import { giveDefaultRoute } from './default-route.ts';
import { projectPath } from './scratch.ts';
import { tryConnect } from './try-connect.ts';
import { waitUntil } from './wait-until.ts';
import { writeToneWav } from './wav-file.ts';

const MODULE_FOLDER = '/usr/lib/baresip/modules';

const CODECS = {
  pcmu: { module: 'g711', entry: 'PCMU', sampleRate: 8000 },
  pcma: { module: 'g711', entry: 'PCMA', sampleRate: 8000 },
  g722: { module: 'g722', entry: 'G722/16000/1', sampleRate: 16_000 },
  opus: { module: 'opus', entry: 'opus/48000/2', sampleRate: 48_000 },
  /** What Parley does not speak. */
  g726: { module: 'g726', entry: 'G726-32/8000/1', sampleRate: 8000 },
} as const;

const VIDEO_CODECS = { H264: ['avcodec'], VP8: ['vp8'] } as const;
/** The picture that it sends is three bars, red, green and blue. */
const VIDEO_CONFIGURATION = [
  'video_source fakevideo,nil',
  'video_display fakevideo,nil',
  'video_size 320x240',
  'video_fps 15',
  'video_bitrate 256000',
  'video_selfview no',
  'avcodec_h264enc libx264',
  'avcodec_h264dec h264',
  'module fakevideo.so',
];

export type PhoneCodec = keyof typeof CODECS;

export interface PhoneOptions {
  /** A folder of its own: configuration, log, recordings. */
  folder: string;
  name: string;
  /** Its own; 127.0.0.1 by default. */
  address?: string;
  /** SIP port; the control port and the RTP range follow from it. */
  port: number;
  codec?: PhoneCodec;
  /** Offers and takes video of this codec alone. */
  video?: keyof typeof VIDEO_CODECS;
  /** What the phone plays, Hz; undefined: silence. */
  tone?: number;
  /** Peak of it, dBFS; -12 by default. */
  level?: number;
  /** Over TLS the server's certificate is checked. */
  transport?: 'udp' | 'tcp' | 'tls';
  /** Where all its requests go first, "127.0.0.1:5065"; without it straight to the server. */
  outboundProxy?: string;
  /** "srtp": offers keys with RTP/AVP; "srtp-mand": insists, with RTP/SAVP. */
  srtp?: 'srtp' | 'srtp-mand';
  /** Insists on DTLS-SRTP, with ICE and one port. */
  dtls?: boolean;
  /** Registers with this password at the server of this URI. */
  account?: { server: string; password: string };
  /** Calls that come in; by default they ring. */
  answers?: 'auto' | 'manual';
}

export interface PhoneEvent {
  type: string;
  param?: string;
}

/**
 * A real phone: one headless baresip, controlled over its ctrl_tcp module (netstring-framed JSON).
 * It records what it decodes, packet by packet, so a gap on the wire is not in the recording.
 */
export class BaresipPhone {
  readonly #options: PhoneOptions;
  readonly #events: PhoneEvent[] = [];
  readonly #answers = new Map<string, { ok: boolean; data: string }>();
  #child: Child | undefined;
  #control: Socket | undefined;
  #token = 0;

  constructor(options: PhoneOptions) {
    this.#options = options;
  }

  static async start(options: PhoneOptions): Promise<BaresipPhone> {
    const phone = new BaresipPhone(options);
    await phone.#start();

    return phone;
  }

  get child(): Child {
    if (this.#child === undefined) throw new Error('the phone was not started');

    return this.#child;
  }

  get name(): string {
    return this.#options.name;
  }

  /** Where it receives media, RTP and RTCP. */
  get mediaPorts(): { min: number; max: number } {
    const min = 20_000 + (this.#options.port % 500) * 40;

    return { min, max: min + 38 };
  }

  get events(): readonly PhoneEvent[] {
    return this.#events;
  }

  /** Dials and waits until the call stands. */
  async call(uri: string): Promise<void> {
    const from = this.#events.length;
    await this.command('dial', uri);
    await this.waitFor('CALL_ESTABLISHED', from);
  }

  /** Dials a call that is to be refused; answers what the phone was told, "486 Busy Here" say. */
  async callRefused(uri: string): Promise<string> {
    const from = this.#events.length;
    await this.command('dial', uri);
    await waitUntil(`${this.name} is refused`, () =>
      this.#events.slice(from).some((event) => event.type === 'CALL_CLOSED')
        ? undefined
        : 'waiting for the end',
    );

    return this.#events.slice(from).find((event) => event.type === 'CALL_CLOSED')?.param ?? '';
  }

  async waitFor(type: string, from = 0): Promise<PhoneEvent> {
    let found: PhoneEvent | undefined;
    await waitUntil(`${this.name} waits for ${type}`, () => {
      const events = this.#events.slice(from);
      found = events.find((event) => event.type === type);
      const closed = events.find((event) => event.type === 'CALL_CLOSED');
      if (found === undefined && closed !== undefined) {
        throw new Error(`${this.name}: call closed (${closed.param ?? ''}) before ${type}`);
      }

      return found === undefined
        ? `seeing only [${events.map((event) => event.type).join(' ')}]`
        : undefined;
    });
    if (found === undefined) throw new Error('unreachable');

    return found;
  }

  async hangUp(): Promise<void> {
    const from = this.#events.length;
    await this.command('hangup');
    await this.waitFor('CALL_CLOSED', from);
  }

  async command(command: string, params = ''): Promise<string> {
    const token = String(++this.#token);
    const json = JSON.stringify({ command, params, token });
    this.#control?.write(`${Buffer.byteLength(json)}:${json},`);
    await waitUntil(`${this.name}: ${command}`, () =>
      this.#answers.has(token) ? undefined : 'without an answer',
    );
    const answer = this.#answers.get(token);
    this.#answers.delete(token);
    if (answer?.ok !== true) throw new Error(`${this.name}: ${command}: ${answer?.data ?? ''}`);

    return answer.data;
  }

  /** Dials, and waits until it hears something: what it sends from now on can arrive as well. */
  async callAndHear(uri: string): Promise<void> {
    await this.hears(() => this.call(uri));
  }

  /** Waits until the call that begins now is heard. */
  async hears(begin: () => Promise<void>): Promise<void> {
    const before = this.#recordings().length;
    await begin();
    await waitUntil(`${this.name} hears something`, () =>
      this.#recordings().length > before ? undefined : 'nothing yet',
    );
  }

  /** The newest recording of what the phone heard. */
  recording(): string {
    const newest = this.#recordings().at(-1);
    if (newest === undefined) throw new Error(`${this.name} recorded nothing`);

    return newest;
  }

  #recordings(): string[] {
    const folder = path.join(this.#options.folder, 'rec');

    return readdirSync(folder)
      .filter((file) => file.endsWith('-dec.wav'))
      .sort()
      .map((file) => path.join(folder, file));
  }

  /** SIP messages and messages of baresip itself. */
  get log(): string {
    return this.child.output;
  }

  /** As its user would switch it off: hangs up, says BYE, closes the recordings. */
  async stop(): Promise<void> {
    this.#control?.destroy();
    await this.#child?.stop();
  }

  async #start(): Promise<void> {
    const { folder, name, port } = this.#options;
    if (this.#options.dtls === true) giveDefaultRoute();
    mkdirSync(path.join(folder, 'rec'), { recursive: true });
    this.#writeConfiguration();
    this.#child = new Child({
      name,
      command: 'baresip',
      args: ['-4', '-f', folder, '-s'],
      logFile: path.join(folder, 'log'),
      cwd: folder,
    });
    await waitUntil(`${name} starts`, async () => {
      if (!this.child.running) throw new Error(`baresip ended: ${this.log.slice(-2000)}`);
      this.#control = await tryConnect(port + 20_000);

      return this.#control === undefined ? 'without its control port' : undefined;
    });
    this.#readControl();
    await this.command('uuid');
  }

  #readControl(): void {
    let buffer = Buffer.alloc(0);
    this.#control?.on('error', () => undefined);
    this.#control?.on('data', (data: Buffer) => {
      buffer = Buffer.concat([buffer, data]);
      for (;;) {
        const colon = buffer.indexOf(':');
        const length = Number(buffer.subarray(0, Math.max(0, colon)).toString('latin1'));
        if (colon < 1 || buffer.length < colon + length + 2) return;
        this.#receive(buffer.subarray(colon + 1, colon + 1 + length).toString('utf8'));
        buffer = buffer.subarray(colon + length + 2);
      }
    });
  }

  #receive(text: string): void {
    // baresip prints terminal escapes into its JSON strings unescaped.
    const clean = text.replaceAll(/[\u0000-\u001f]/g, ' ');
    const message = JSON.parse(clean) as {
      response?: boolean;
      token?: string;
      ok?: boolean;
      data?: string;
      type?: string;
      param?: string;
    };
    if (message.response === true) {
      this.#answers.set(message.token ?? '', { ok: message.ok === true, data: message.data ?? '' });
    } else if (message.type !== undefined) {
      this.#events.push({ type: message.type, param: message.param ?? '' });
    }
  }

  #writeConfiguration(): void {
    const {
      folder,
      port,
      codec = 'pcmu',
      tone,
      level = -12,
      srtp,
      dtls = false,
      address = '127.0.0.1',
      video,
    } = this.#options;
    const security = srtp === undefined ? [] : ['srtp'];
    if (dtls) security.push('dtls_srtp', 'stun', 'ice');
    const { module, entry, sampleRate } = CODECS[codec];
    const videoModules = video === undefined ? [] : VIDEO_CODECS[video];
    const wav = path.join(folder, 'tone.wav');
    // aufile does not loop and its end hangs up: longer than any test's call.
    writeToneWav(wav, tone ?? 440, {
      seconds: 180,
      sampleRate,
      level: tone === undefined ? -140 : level,
    });
    const { min, max } = this.mediaPorts;
    writeFileSync(
      path.join(folder, 'config'),
      [
        'poll_method epoll',
        `sip_listen ${address}:${port}`,
        `net_interface ${address}`,
        `rtp_ports ${min}-${max}`,
        'rtp_stats yes',
        `rtcp_mux ${dtls ? 'yes' : 'no'}`,
        'jitter_buffer_delay 1-10',
        'call_max_calls 4',
        'call_local_timeout 120',
        'audio_buffer 20-160',
        'audio_alert none',
        'ringback_disabled yes',
        'menu_bell no',
        'statmode_default off',
        `snd_path ${path.join(folder, 'rec')}`,
        `ctrl_tcp_listen 127.0.0.1:${port + 20_000}`,
        'dns_server 127.0.0.1:9',
        'opus_bitrate 128000',
        `sip_cafile ${projectPath('test/fixtures/tls/ca.pem')}`,
        `module_path ${MODULE_FOLDER}`,
        `audio_source aufile,${wav}`,
        `ausrc_srate ${sampleRate}`,
        'ausrc_channels 1',
        ...(video === undefined ? [] : VIDEO_CONFIGURATION),
        ...['aufile', module, 'sndfile', ...security, ...videoModules].map(
          (each) => `module ${each}.so`,
        ),
        ...['uuid', 'account'].map((each) => `module_tmp ${each}.so`),
        ...['menu', 'debug_cmd', 'ctrl_tcp'].map((each) => `module_app ${each}.so`),
        '',
      ].join('\n'),
    );
    writeFileSync(path.join(folder, 'accounts'), this.#accountLine(entry));
  }

  #accountLine(codec: string): string {
    const {
      name,
      port,
      transport = 'udp',
      account,
      answers,
      outboundProxy,
      srtp,
      video,
    } = this.#options;
    const host = account?.server ?? `127.0.0.1:${port}`;
    const parts = [
      `"${name}" <sip:${name}@${host};transport=${transport}>`,
      `regint=${account === undefined ? 0 : 60}`,
      `audio_codecs=${codec}`,
      // All that its module has: of H.264 both packetization modes.
      ...(video === undefined ? ['video_codecs='] : []),
      `auth_pass=${account?.password ?? 'x'}`,
      ...(outboundProxy === undefined
        ? []
        : [`outbound="sip:${outboundProxy};transport=${transport}"`]),
      ...(answers === 'auto' ? ['answermode=auto'] : []),
      ...(srtp === undefined ? [] : [`mediaenc=${srtp}`]),
      ...(this.#options.dtls === true ? ['mediaenc=dtls_srtp', 'medianat=ice'] : []),
    ];

    return `${parts.join(';')}\n`;
  }
}
