import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { toneLevelOf } from './browser.ts';
import { projectPath } from './scratch.ts';
import { waitUntil } from './wait-until.ts';

/** The part of JsSIP that the tests use. */
interface JsSip {
  UA: new (options: object) => JsSipAgent;
  WebSocketInterface: new (url: string) => object;
}

interface JsSipAgent {
  start(): void;
  stop(): void;
  on(event: string, listener: (data: { cause?: string; session?: JsSipSession }) => void): void;
  call(target: string, options: object): void;
  sendMessage(target: string, body: string, options: object): void;
  sendOptions(target: string, body: string | null, options: object): void;
}

interface JsSipSession {
  direction: 'incoming' | 'outgoing';
  /** Null before a call that came in is answered. */
  connection: RTCPeerConnection | null;
  answer(options: object): void;
  terminate(): void;
  sendDTMF(key: string, options: object): void;
  on(event: string, listener: (data: { peerconnection: RTCPeerConnection }) => void): void;
}

interface Outcome {
  response?: { status_code: number };
  message?: { status_code?: number } | null;
  cause?: string;
}

interface PhoneWindow {
  JsSIP: JsSip;
  agent: JsSipAgent;
  session: JsSipSession | undefined;
}

/** JsSIP in a page of the server: SIP over WebSocket as browsers' phones speak it. */
export class JsSipPage {
  readonly page: Page;

  private constructor(page: Page) {
    this.page = page;
  }

  static async open(browser: Browser, folder: string, url: string): Promise<JsSipPage> {
    const context = await browser.newContext({
      ignoreHTTPSErrors: true,
      permissions: ['microphone'],
    });
    const page = await context.newPage();
    await page.goto(url);
    await page.evaluate(bundle(folder));

    return new JsSipPage(page);
  }

  /** "registered", or why not. */
  async register(socket: string, uri: string, password: string): Promise<string> {
    return this.page.evaluate(
      ([socket, uri, password]) =>
        new Promise<string>((resolve) => {
          const w = window as unknown as PhoneWindow;
          const sockets = [new w.JsSIP.WebSocketInterface(socket!)];
          w.agent = new w.JsSIP.UA({ sockets, uri, password });
          const play = (connection: RTCPeerConnection): void => {
            connection.addEventListener('track', ({ track }) => {
              const audio = document.createElement('audio');
              audio.autoplay = true;
              audio.srcObject = new MediaStream([track]);
              document.body.append(audio);
            });
          };
          // What calls in is answered.
          w.agent.on('newRTCSession', ({ session }) => {
            w.session = session;
            session?.on('peerconnection', ({ peerconnection }) => play(peerconnection));
            if (session?.connection) play(session.connection);
            if (session?.direction !== 'incoming') return;
            session.answer({ mediaConstraints: { audio: true }, pcConfig: { iceServers: [] } });
          });
          w.agent.on('registered', () => {
            resolve('registered');
          });
          w.agent.on('registrationFailed', ({ cause }) => {
            resolve(cause ?? 'failed');
          });
          w.agent.start();
        }),
      [socket, uri, password],
    );
  }

  /** The final status of a request outside calls. */
  async ask(method: 'MESSAGE' | 'OPTIONS', target: string): Promise<number | undefined> {
    return this.page.evaluate(
      ([method, target]) =>
        new Promise<number | undefined>((resolve) => {
          const { agent } = window as unknown as PhoneWindow;
          const done = ({ response }: Outcome): void => {
            resolve(response?.status_code);
          };
          const options = { eventHandlers: { succeeded: done, failed: done } };
          if (method === 'MESSAGE') agent.sendMessage(target!, 'hello', options);
          else agent.sendOptions(target!, null, options);
        }),
      [method, target],
    );
  }

  /** "confirmed", or the status that refused it. */
  async call(target: string): Promise<string> {
    return this.page.evaluate(
      (target) =>
        new Promise<string>((resolve) => {
          const { agent } = window as unknown as PhoneWindow;
          agent.call(target, {
            mediaConstraints: { audio: true, video: false },
            pcConfig: { iceServers: [] },
            eventHandlers: {
              confirmed: () => {
                resolve('confirmed');
              },
              failed: ({ message, cause }: Outcome) => {
                resolve(String(message?.status_code ?? cause));
              },
            },
          });
        }),
      target,
    );
  }

  /** Waits until media can flow: keys that are pressed before are lost. */
  async connected(): Promise<void> {
    await waitUntil('media flows', async () => {
      const state = await this.page.evaluate(
        () => (window as unknown as PhoneWindow).session?.connection?.connectionState,
      );

      return state === 'connected' ? undefined : `${state}`;
    });
  }

  /** By RFC 4733, one after the other. */
  async press(keys: string): Promise<void> {
    // A key that is pressed before is lost.
    await waitUntil('media flows', async () => {
      const state = await this.page.evaluate(
        () => (window as unknown as PhoneWindow).session?.connection?.connectionState,
      );

      return state === 'connected' ? undefined : String(state);
    });
    await this.page.evaluate((pressed) => {
      const { session } = window as unknown as PhoneWindow;
      for (const key of pressed) {
        session?.sendDTMF(key, { transportType: 'RFC2833', duration: 100, interToneGap: 100 });
      }
    }, keys);
  }

  async hangUp(): Promise<void> {
    await this.page.evaluate(() => {
      (window as unknown as PhoneWindow).session?.terminate();
    });
  }

  async hears(frequency: number): Promise<void> {
    await waitUntil(`the page hears ${frequency} Hz`, async () => {
      const { level, beside } = await toneLevelOf(this.page, frequency, 1);

      return level > -45 && level - beside > 20 ? undefined : `${level} dB, beside ${beside} dB`;
    });
  }

  /** As its user signs off. */
  async stop(): Promise<void> {
    await this.page.evaluate(() => {
      (window as unknown as PhoneWindow).agent.stop();
    });
  }
}

/** One script out of JsSIP's many files. */
function bundle(folder: string): string {
  const file = path.join(folder, 'jssip.js');
  const { status, stderr } = spawnSync(
    process.execPath,
    [
      projectPath('node_modules/rolldown/bin/cli.mjs'),
      ...[projectPath('node_modules/jssip/lib/JsSIP.js'), '--format', 'iife', '--name', 'JsSIP'],
      ...['--platform', 'browser', '--file', file],
    ],
    { cwd: folder, encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`no bundle: ${stderr}`);

  return `${readFileSync(file, 'utf8')}; window.JsSIP = JsSIP.default ?? JsSIP; undefined`;
}
