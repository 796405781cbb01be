import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Child } from './child-process.ts';
import { httpFetch, type HttpRequest } from './http-client.ts';
import { projectPath } from './scratch.ts';
import { waitUntil } from './wait-until.ts';

export interface ParleyServerOptions {
  folder: string;
  /** Settings beyond the defaults below. */
  env?: Record<string, string>;
}

export interface ParticipantRow {
  id: string;
  name: string;
  kind: 'browser' | 'phone';
  state: string;
  muted: boolean;
  speaking: boolean;
  video: boolean;
  videoCodecs: string[];
  videoReceived?: string;
}

/** The real server process as `npm start` runs it, on loopback, with data of its own. */
export class ParleyServer {
  readonly httpPort: number;
  readonly sipPort: number;
  readonly #options: ParleyServerOptions;
  readonly child: Child;

  private constructor(options: ParleyServerOptions) {
    this.#options = options;
    this.httpPort = Number(options.env?.['HTTP_PORT'] ?? 3000);
    this.sipPort = Number(options.env?.['SIP_PORT'] ?? 5060);
    this.child = new Child({
      name: 'parley',
      command: process.execPath,
      args: ['--enable-source-maps', projectPath('dist/server/main.js')],
      logFile: path.join(options.folder, 'server.log'),
      cwd: options.folder,
      env: {
        NODE_ENV: 'production',
        HTTP_HOST: '127.0.0.1',
        SIP_HOST: '127.0.0.1',
        PUBLIC_ADDRESS: '127.0.0.1',
        MEDIA_WORKERS: '1',
        DATA_DIR: path.join(options.folder, 'data'),
        LOG_LEVEL: 'debug',
        HTTP_PORT: String(this.httpPort),
        SIP_PORT: String(this.sipPort),
        ...options.env,
      },
    });
  }

  static async start(options: ParleyServerOptions): Promise<ParleyServer> {
    const server = new ParleyServer(options);
    await waitUntil(
      'the server is ready',
      async () => {
        if (!server.child.running) throw new Error(`it ended: ${server.log.slice(-4000)}`);
        try {
          const { status, text } = await server.#fetch('GET', '/readyz');

          return status === 200 ? undefined : `answering ${text}`;
        } catch {
          return 'not listening';
        }
      },
      40_000,
    );

    return server;
  }

  get url(): string {
    return `${this.#isSecure ? 'https' : 'http'}://127.0.0.1:${this.httpPort}`;
  }

  get log(): string {
    return this.child.output;
  }

  sipUri(room: string, transport?: 'tcp'): string {
    return `sip:${room}@127.0.0.1:${this.sipPort}${transport === undefined ? '' : `;transport=${transport}`}`;
  }

  async api<T>(method: string, resource: string, body?: unknown): Promise<T> {
    const key = readFileSync(path.join(this.#options.folder, 'data/api-key'), 'utf8').trim();
    const { status, text } = await this.#fetch(method, `/api/v1${resource}`, {
      headers: {
        authorization: `Bearer ${key}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (status >= 300) throw new Error(`${method} ${resource}: ${status} ${text}`);

    return (text === '' ? undefined : JSON.parse(text)) as T;
  }

  async participants(room: string): Promise<ParticipantRow[]> {
    return this.api<ParticipantRow[]>('GET', `/rooms/${room}/participants`);
  }

  /** Every sample of /metrics: `name{labels}` → value. */
  async metrics(): Promise<Map<string, number>> {
    const { text } = await this.#fetch('GET', '/metrics');
    const samples = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));

    return new Map(
      samples.map((line) => {
        const space = line.lastIndexOf(' ');

        return [line.slice(0, space), Number(line.slice(space + 1))];
      }),
    );
  }

  async stop(): Promise<number> {
    return this.child.stop(8000);
  }

  get #isSecure(): boolean {
    return this.#options.env?.['TLS_CERT'] !== undefined;
  }

  /** Its certificate is of a test's own authority. */
  #fetch(
    method: string,
    path: string,
    parts: Pick<HttpRequest, 'headers' | 'body'> = {},
  ): Promise<{ status: number; text: string }> {
    const ca = this.#isSecure ? { ca: readFileSync(projectPath('test/fixtures/tls/ca.pem')) } : {};

    return httpFetch(`${this.url}${path}`, { method, ...parts, ...ca });
  }
}
