import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { toneLevelOf } from './browser.ts';
import type { ParleyServer } from './parley-server.ts';
import { projectPath, scratchFolder } from './scratch.ts';
import { letRun, waitUntil } from './wait-until.ts';
import type { PhoneEvent, WebPhoneSettings } from './web-phone/page-api.ts';
import type { WebPhoneApi } from './web-phone/page.ts';

let script: string | undefined;

/** Built once a run: the libraries are not made for browsers as they come. */
function pageScript(): string {
  if (script !== undefined) return script;
  const out = scratchFolder('web-phone');
  const vite = projectPath('node_modules/vite/bin/vite.js');
  const config = projectPath('test/support/web-phone/vite.config.mjs');
  execFileSync(process.execPath, [vite, 'build', '--config', config, '--outDir', out], {
    stdio: 'inherit',
  });
  script = readFileSync(path.join(out, 'page.js'), 'utf8');

  return script;
}

export type WebPhoneState = ReturnType<WebPhoneApi['state']>;

/** A SIP phone in a web page: JsSIP or SIP.js in a real browser, SIP over WebSocket, WebRTC media. */
export class WebPhone {
  readonly page: Page;
  readonly #context: BrowserContext;
  readonly #server: ParleyServer;
  readonly #console: string[] = [];

  private constructor(context: BrowserContext, page: Page, server: ParleyServer) {
    this.#context = context;
    this.page = page;
    this.#server = server;
    page.on('console', (message) => this.#console.push(message.text()));
    page.on('pageerror', (error) => this.#console.push(`pageerror: ${error.message}`));
  }

  static async start(
    browser: Browser,
    server: ParleyServer,
    settings: Pick<WebPhoneSettings, 'library' | 'tone' | 'colour' | 'simulcast'> & {
      user: string;
    },
  ): Promise<WebPhone> {
    // A page of the server's own, as Chromium lets no other reach into the local network.
    const context = await browser.newContext({ bypassCSP: true, ignoreHTTPSErrors: true });
    const page = await context.newPage();
    const phone = new WebPhone(context, page, server);
    await page.goto(`${server.url}/healthz`);
    await page.addScriptTag({ content: pageScript() });
    const { user, ...rest } = settings;
    await page.evaluate(
      async (all) => {
        await (globalThis as unknown as { webPhone: WebPhoneApi }).webPhone.start(all);
      },
      {
        ...rest,
        server: `${server.url.replace(/^http/, 'ws')}/sip`,
        uri: `sip:${user}@127.0.0.1`,
      },
    );

    return phone;
  }

  /** What the page's console said, for failure messages. */
  get console(): string {
    return this.#console.join('\n');
  }

  async call(room: string): Promise<void> {
    const target = this.#server.sipUri(room);
    await this.page.evaluate((to) => {
      (globalThis as unknown as { webPhone: WebPhoneApi }).webPhone.call(to);
    }, target);
    await waitUntil('the call stands', async () => {
      const events = await this.events();
      const failed = events.find((event) => event.type === 'failed');
      if (failed !== undefined) throw new Error(`${JSON.stringify(failed)}\n${this.console}`);

      return events.some((event) => event.type === 'established')
        ? undefined
        : JSON.stringify(events);
    });
  }

  async events(): Promise<PhoneEvent[]> {
    return this.page.evaluate(() =>
      (globalThis as unknown as { webPhone: WebPhoneApi }).webPhone.events(),
    );
  }

  async count(type: PhoneEvent['type']): Promise<number> {
    return (await this.events()).filter((event) => event.type === type).length;
  }

  /** Waits until no re-INVITE came for a while. */
  async settle(): Promise<void> {
    let count = -1;
    await waitUntil('the call is at rest', async () => {
      const before = count;
      count = await this.count('reinvite');
      if (count === before) return undefined;
      await letRun(1500);

      return `${count} re-INVITEs`;
    });
  }

  async state(): Promise<WebPhoneState> {
    return this.page.evaluate(() =>
      (globalThis as unknown as { webPhone: WebPhoneApi }).webPhone.state(),
    );
  }

  async hangUp(): Promise<void> {
    await this.page.evaluate(() => {
      (globalThis as unknown as { webPhone: WebPhoneApi }).webPhone.hangUp();
    });
  }

  async hold(held: boolean): Promise<void> {
    await this.page.evaluate((now) => {
      (globalThis as unknown as { webPhone: WebPhoneApi }).webPhone.hold(now);
    }, held);
  }

  async sendKey(key: string): Promise<void> {
    await this.page.evaluate((pressed) => {
      (globalThis as unknown as { webPhone: WebPhoneApi }).webPhone.sendKey(pressed);
    }, key);
  }

  async restartIce(): Promise<void> {
    await this.page.evaluate(() => {
      (globalThis as unknown as { webPhone: WebPhoneApi }).webPhone.restartIce();
    });
  }

  async statistics(): Promise<Record<string, unknown>[]> {
    return this.page.evaluate(() =>
      (globalThis as unknown as { webPhone: WebPhoneApi }).webPhone.statistics(),
    );
  }

  /** Sum of one field over all reports of a type and kind. */
  async statistic(type: string, field: string, kind: 'audio' | 'video'): Promise<number> {
    return (await this.statistics())
      .filter((report) => report['type'] === type && report['kind'] === kind)
      .reduce((sum, report) => sum + Number(report[field] ?? 0), 0);
  }

  async toneLevel(frequency: number, seconds: number): Promise<{ level: number; beside: number }> {
    return toneLevelOf(this.page, frequency, seconds);
  }

  async close(): Promise<void> {
    await this.#context.close();
  }
}
