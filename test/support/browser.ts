import {
  chromium,
  type Browser,
  type BrowserContext,
  type LaunchOptions,
  type Page,
} from 'playwright-core';
import type { ParleyServer } from './parley-server.ts';

/**
 * Headless Chromium with its fake camera and its fake microphone, which beeps once a second.
 * `--allow-loopback-in-peer-connection`: where loopback is the only interface, ICE has no other
 * candidate. The rest keeps Chromium from calling home.
 */
export function chromiumOptions(): LaunchOptions {
  return {
    executablePath: process.env['CHROMIUM_BIN'] ?? '/usr/bin/chromium',
    args: [
      '--headless=new',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-first-run',
      '--use-fake-ui-for-media-stream',
      '--use-fake-device-for-media-stream',
      '--allow-loopback-in-peer-connection',
      '--disable-features=WebRtcHideLocalIpsWithMdns',
      '--autoplay-policy=no-user-gesture-required',
    ],
  };
}

/** Files that the fake devices play again and again, instead of what is their own. */
export interface FakeDevices {
  /** Y4M. */
  camera: string;
  /** WAV. */
  microphone: string;
}

export async function launchChromium(devices?: FakeDevices): Promise<Browser> {
  const options = chromiumOptions();
  const own =
    devices === undefined
      ? []
      : [
          `--use-file-for-fake-video-capture=${devices.camera}`,
          `--use-file-for-fake-audio-capture=${devices.microphone}`,
        ];

  return chromium.launch({ ...options, args: [...(options.args ?? []), ...own] });
}

export interface RosterRow {
  id: string;
  kind: string;
  speaking: boolean;
  muted: boolean;
  text: string;
}

/** One person at a browser, driven through the hooks that the contract promises. */
export class RoomPage {
  readonly page: Page;
  readonly context: BrowserContext;
  readonly #console: string[] = [];

  private constructor(context: BrowserContext, page: Page) {
    this.context = context;
    this.page = page;
    page.on('console', (message) => {
      this.#console.push(`${message.type()}: ${message.text()}`);
    });
    page.on('pageerror', (error) => {
      this.#console.push(`pageerror: ${error.message}`);
    });
  }

  /** Asks to join, and waits until the room or its lobby is entered. */
  static async join(
    browser: Browser,
    server: ParleyServer,
    room: string,
    name: string,
    pin?: string,
  ): Promise<RoomPage> {
    const page = await RoomPage.ask(browser, server, room, name, pin);
    await page.page.getByTestId('leave').waitFor({ timeout: 40_000 });

    return page;
  }

  /** Opens the room's link, gives a name and, if there is one, a PIN, and presses the button. */
  static async ask(
    browser: Browser,
    server: ParleyServer,
    room: string,
    name: string,
    pin?: string,
    prepare?: (context: BrowserContext) => Promise<void>,
  ): Promise<RoomPage> {
    const context = await browser.newContext({
      viewport: { width: 1280, height: 800 },
      permissions: ['camera', 'microphone'],
    });
    // In a production build the diagnostics of `window.parley` are asked for.
    await context.addInitScript(() => {
      localStorage.setItem('parley.debug', '1');
    });
    await prepare?.(context);
    const room_ = new RoomPage(context, await context.newPage());
    await room_.page.goto(`${server.url}/room/${room}`);
    await room_.page.getByTestId('name-input').fill(name);
    if (pin !== undefined) {
      await room_.page.getByText('asks me for a PIN').click();
      await room_.page.getByTestId('pin-input').fill(pin);
    }
    await room_.page.getByTestId('join').click();

    return room_;
  }

  /** What the page's console said, for failure messages. */
  get console(): string {
    return this.#console.join('\n');
  }

  async roster(): Promise<RosterRow[]> {
    return this.page.getByTestId('participant').evaluateAll((rows) =>
      rows.map((row) => ({
        id: row.getAttribute('data-participant-id') ?? '',
        kind: row.getAttribute('data-kind') ?? '',
        speaking: row.getAttribute('data-speaking') === 'true',
        muted: row.getAttribute('data-muted') === 'true',
        text: row.textContent,
      })),
    );
  }

  /** Seconds played by each video element that stands in a tile of somebody else or one's own. */
  async videoTimes(): Promise<Record<string, number>> {
    return this.page.getByTestId('tile').evaluateAll((tiles) =>
      Object.fromEntries(
        tiles.flatMap((tile) => {
          const video = tile.querySelector('video');

          return video === null
            ? []
            : [[tile.getAttribute('data-participant-id') ?? '', video.currentTime]];
        }),
      ),
    );
  }

  /** Red, green and blue at the left, in the middle and at the right of each tile's video. */
  async videoColours(): Promise<Record<string, number[][]>> {
    return this.page.getByTestId('tile').evaluateAll((tiles) =>
      Object.fromEntries(
        tiles.flatMap((tile) => {
          const video = tile.querySelector('video');
          const canvas = document.createElement('canvas');
          [canvas.width, canvas.height] = [3, 1];
          const context = canvas.getContext('2d');
          if (video === null || video.videoWidth === 0 || context === null) return [];
          context.drawImage(video, 0, 0, 3, 1);
          const data = [...context.getImageData(0, 0, 3, 1).data];
          const pixels = [0, 4, 8].map((at) => data.slice(at, at + 3));

          return [[tile.getAttribute('data-participant-id') ?? '', pixels]];
        }),
      ),
    );
  }

  /** Every report of every peer connection, flat. */
  async statistics(): Promise<Record<string, unknown>[]> {
    return this.page.evaluate(async () => {
      const parley = (
        globalThis as unknown as {
          parley: { peerConnectionStats(): Promise<Record<string, unknown>[]> };
        }
      ).parley;

      return parley.peerConnectionStats();
    });
  }

  /** Sum of one field over all reports of a type and, where given, a kind. */
  async statistic(type: string, field: string, kind?: 'audio' | 'video'): Promise<number> {
    const reports = await this.statistics();

    return reports
      .filter(
        (report) => report['type'] === type && (kind === undefined || report['kind'] === kind),
      )
      .reduce((sum, report) => sum + Number(report[field] ?? 0), 0);
  }

  async toneLevel(frequency: number, seconds = 2): Promise<{ level: number; beside: number }> {
    return toneLevelOf(this.page, frequency, seconds);
  }

  async screenshot(file: string): Promise<void> {
    await this.page.screenshot({ path: file });
  }

  async leave(): Promise<void> {
    await this.page.getByTestId('leave').click();
  }

  /** As a user closes the tab. */
  async closeTab(): Promise<void> {
    await this.page.close({ runBeforeUnload: false });
    await this.context.close();
  }
}

/**
 * Loudest level of a tone over `seconds` in anything the page plays, in dBFS, by an AnalyserNode;
 * `beside` is the level between the tones, so that noise is not taken for a tone.
 */
export async function toneLevelOf(
  page: Page,
  frequency: number,
  seconds: number,
): Promise<{ level: number; beside: number }> {
  return page.evaluate(
    async ({ frequency, seconds }) => {
      const context = new AudioContext();
      await context.resume();
      const analyser = context.createAnalyser();
      analyser.fftSize = 8192;
      analyser.smoothingTimeConstant = 0;
      for (const element of document.querySelectorAll('audio')) {
        if (element.srcObject instanceof MediaStream) {
          context.createMediaStreamSource(element.srcObject).connect(analyser);
        }
      }
      const bins = new Float32Array(analyser.frequencyBinCount);
      const binOf = (hertz: number): number =>
        Math.round((hertz * analyser.fftSize) / context.sampleRate);
      let level = -200;
      let beside = -200;
      for (let i = 0; i < seconds * 10; i++) {
        await new Promise((resolve) => setTimeout(resolve, 100));
        analyser.getFloatFrequencyData(bins);
        const now = Math.max(...bins.slice(binOf(frequency) - 2, binOf(frequency) + 3));
        if (now > level) {
          level = now;
          beside = Math.max(
            ...bins.slice(binOf(frequency * 1.22), binOf(frequency * 1.28) + 1),
            ...bins.slice(binOf(frequency * 0.76), binOf(frequency * 0.82) + 1),
          );
        }
      }
      await context.close();

      return { level, beside };
    },
    { frequency, seconds },
  );
}
