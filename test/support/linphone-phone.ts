/** Size: one long list of settings. */
import { createWriteStream, existsSync, mkdirSync, writeFileSync, type WriteStream } from 'node:fs';
import path from 'node:path';
import { Child } from './child-process.ts';
import { giveDefaultRoute } from './default-route.ts';
import { waitUntil } from './wait-until.ts';
import { writeToneWav } from './wav-file.ts';

export interface LinphoneOptions {
  folder: string;
  username: string;
  password: string;
  /** Host and port of its registrar. */
  server: string;
  /** SIP port; the RTP port follows from it. */
  port: number;
  transport?: 'udp' | 'tcp';
  /** Insists on encryption, with RTP/SAVP. */
  srtp?: boolean;
  /** Insists on DTLS-SRTP, with ICE. */
  dtls?: boolean;
  /** What it plays, Hz, also while it holds. */
  tone?: number;
  /** Peak of it, dBFS; -12 by default. */
  level?: number;
  /** The only one that it offers; without it PCMU and PCMA. */
  codec?: (typeof CODECS)[number][0];
}

const CODECS = [
  ['PCMU', 8000, 1],
  ['PCMA', 8000, 1],
  ['G722', 8000, 1],
  ['opus', 48_000, 2],
] as const;

/** A headless linphonec that registers, told what to do by lines on its input, told by its log what it did. */
export class LinphonePhone {
  readonly child: Child;
  readonly rtpPort: number;
  readonly #options: LinphoneOptions;
  readonly #input: WriteStream;

  private constructor(child: Child, input: WriteStream, options: LinphoneOptions) {
    this.child = child;
    this.#input = input;
    this.#options = options;
    this.rtpPort = rtpPort(options);
  }

  static async start(options: LinphoneOptions): Promise<LinphonePhone> {
    const { folder, username } = options;
    giveDefaultRoute();
    mkdirSync(path.join(folder, '.local/share/linphone'), { recursive: true });
    writeFileSync(path.join(folder, 'linphonerc'), configuration(options));
    writeToneWav(path.join(folder, 'tone.wav'), options.tone ?? 440, {
      seconds: 30,
      sampleRate: 8000,
      level: options.tone === undefined ? -140 : (options.level ?? -12),
    });
    const input = path.join(folder, 'in');
    // A pipe that is open at both ends: at the end of its input linphonec would quit.
    const script = 'mkfifo in; exec stdbuf -oL -eL linphonec -c "$PWD/linphonerc" -d 6 -S 0<> in';
    const child = new Child({
      name: `linphone ${username}`,
      command: 'sh',
      args: ['-c', script],
      logFile: path.join(folder, 'log'),
      cwd: folder,
      env: {
        HOME: folder,
        XDG_DATA_HOME: path.join(folder, '.local/share'),
        XDG_CONFIG_HOME: folder,
      },
    });
    await waitUntil(`${username} starts`, () =>
      existsSync(input) && child.output.includes('linphonec>') ? undefined : 'without its prompt',
    );
    const phone = new LinphonePhone(child, createWriteStream(input), options);
    phone.command('soundcard use files');
    phone.command(`play ${path.join(folder, 'tone.wav')}`);
    phone.command(`record ${phone.recording}`);

    return phone;
  }

  /** What it heard, over all its calls; complete when the phone is stopped. */
  get recording(): string {
    return path.join(this.#options.folder, 'heard.wav');
  }

  get log(): string {
    return this.child.output;
  }

  /** One line of its shell. */
  command(line: string): void {
    this.#input.write(`${line}\n`);
  }

  /** Dials and waits until the call stands. */
  async call(uri: string): Promise<void> {
    await this.#until('StreamsRunning', `call ${uri} --audio-only`);
  }

  async ringing(from = 0): Promise<void> {
    await this.waitFor(/moving from state \S+ to (?:state )?\S*IncomingReceived/, from);
  }

  async answer(): Promise<void> {
    await this.#until('StreamsRunning', 'answer');
  }

  async hold(): Promise<void> {
    await this.#until('Paused\\b', 'pause');
  }

  async resume(): Promise<void> {
    await this.#until('StreamsRunning', 'resume 1');
  }

  async hangUp(): Promise<void> {
    await this.#until('(?:End|Released)', 'terminate');
  }

  async waitFor(pattern: RegExp, from = 0): Promise<void> {
    await waitUntil(`${this.child.name} shows ${String(pattern)}`, () =>
      pattern.test(this.log.slice(from)) ? undefined : 'waiting',
    );
  }

  async stop(): Promise<void> {
    this.command('quit');
    this.#input.end();
    await this.child.stop();
  }

  /** A command, and the state of the call that it leads to. */
  async #until(state: string, line: string): Promise<void> {
    const from = this.log.length;
    this.command(line);
    await this.waitFor(new RegExp(`moving from state \\S+ to (?:state )?\\S*${state}`), from);
  }
}

function rtpPort({ port }: LinphoneOptions): number {
  return 28_000 + (port % 1000) * 4;
}

function configuration(options: LinphoneOptions): string {
  const { username, password, server, port, transport = 'udp', codec, dtls = false } = options;
  const offers = (mime: string): boolean =>
    codec === undefined ? mime.startsWith('PCM') : mime === codec;
  const encryption = dtls ? 'dtls' : options.srtp === true ? 'srtp' : 'none';
  const proxy = `<sip:${server};transport=${transport}`;

  return [
    '[sip]',
    `sip_port=${transport === 'udp' ? port : 0}`,
    `sip_tcp_port=${port}`,
    'sip_tls_port=0',
    'bind_address=127.0.0.1',
    `contact="${username}" <sip:${username}@127.0.0.1:${port}>`,
    'guess_hostname=0',
    'use_ipv6=0',
    'register_only_when_network_is_up=0',
    'auto_net_state_mon=0',
    'incoming_calls_early_media=0',
    `media_encryption=${encryption}`,
    `media_encryption_mandatory=${encryption === 'none' ? 0 : 1}`,
    'default_proxy=0',
    '[net]',
    'mtu=1300',
    `firewall_policy=${dtls ? 3 : 0}`,
    ...(dtls ? ['nat_policy_ref=ice'] : []),
    'enable_nat_helper=0',
    'dns_srv_enabled=0',
    'dns_search_enabled=0',
    '[nat_policy_0]',
    'ref=ice',
    `protocols=${dtls ? 'ice' : ''}`,
    '[rtp]',
    `rtcp_mux=${dtls ? 1 : 0}`,
    `audio_rtp_port=${rtpPort(options)}`,
    'nortp_timeout=60',
    '[sound]',
    'echocancellation=0',
    'mic_gain_db=0.0',
    'playback_gain_db=0.0',
    'agc=0',
    'disable_ring=1',
    ...CODECS.flatMap(([mime, rate, channels], i) => [
      `[audio_codec_${i}]`,
      `mime=${mime}`,
      `rate=${rate}`,
      `channels=${channels}`,
      `enabled=${offers(mime) ? 1 : 0}`,
    ]),
    '[video]',
    'enabled=0',
    'capture=0',
    'display=0',
    '[proxy_0]',
    `reg_proxy=${proxy}>`,
    `reg_route=${proxy};lr>`,
    `reg_identity="${username}" <sip:${username}@${server}>`,
    'reg_expires=300',
    'reg_sendregister=1',
    'publish=0',
    ...(dtls ? ['nat_policy_ref=ice'] : []),
    '[auth_info_0]',
    `username=${username}`,
    `passwd=${password}`,
    '',
  ].join('\n');
}
