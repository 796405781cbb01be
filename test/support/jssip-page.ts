import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { projectPath } from './scratch.ts';

/** The part of JsSIP that the tests use. */
interface JsSip {
  UA: new (options: object) => JsSipAgent;
  WebSocketInterface: new (url: string) => object;
}

interface JsSipAgent {
  start(): void;
  stop(): void;
  on(event: string, listener: (data: { cause?: string }) => void): void;
  call(target: string, options: object): void;
  sendMessage(target: string, body: string, options: object): void;
  sendOptions(target: string, body: string | null, options: object): void;
}

interface Outcome {
  response?: { status_code: number };
  message?: { status_code?: number } | null;
  cause?: string;
}

interface PhoneWindow {
  JsSIP: JsSip;
  agent: JsSipAgent;
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
