import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { io, type Socket } from 'socket.io-client';
import { silentLogger } from '../../../base/index.ts';
import {
  PROTOCOL_VERSION,
  WebSocketGateway,
  type WebSocketGatewayLimits,
} from '../../../signaling/websocket/index.ts';
import type {
  Ack,
  JoinAnswer,
  NotificationName,
  RequestName,
  RequestPayload,
} from '../../../signaling/websocket/protocol.ts';
import { Conference } from '../../server/room-harness.ts';
import { waitUntil } from '../../support/wait-until.ts';

let lastRequest = 0;

export function requestId(): string {
  return `request-of-a-test-${++lastRequest}`;
}

/** A page reduced to its socket; it notes all it hears, acks included, in order. */
export class TestPage {
  readonly socket: Socket;
  readonly heard: [name: string, payload: Record<string, unknown>][] = [];
  closed: string | undefined;

  constructor(url: string, headers: Record<string, string> = {}) {
    this.socket = io(url, {
      transports: ['websocket'],
      forceNew: true,
      reconnection: false,
      extraHeaders: headers,
    });
    this.socket.onAny((name: NotificationName, payload: Record<string, unknown>) => {
      this.heard.push([name, payload]);
    });
    this.socket.on('disconnect', (reason) => (this.closed = reason));
    this.socket.on('connect_error', (error) => (this.closed = error.message));
  }

  /** Whatever it is: also what no page would send. */
  send(name: string, message: unknown): Promise<Ack<RequestName>> {
    return new Promise((resolve) => {
      this.socket.emit(name, message, (ack: Ack<RequestName>) => {
        this.heard.push([`ack ${name}`, { ok: ack.ok }]);
        resolve(ack);
      });
    });
  }

  async request<N extends RequestName>(name: N, payload: RequestPayload<N>, id = requestId()) {
    return (await this.send(name, { ...payload, requestId: id })) as Ack<N>;
  }

  async join(name: string, more: { resumeToken?: string; room?: string } = {}, id = requestId()) {
    const message = { version: PROTOCOL_VERSION, room: '1000', name, ...more };
    const ack = await this.request('join', message, id);
    if (!ack.ok) throw new Error(`${ack.code}: ${ack.message}`);

    return ack.data;
  }

  names(): string[] {
    return this.heard.map(([name]) => name);
  }

  async hears(name: string): Promise<Record<string, unknown>> {
    await waitUntil(`hearing ${name}`, () =>
      this.names().includes(name) ? undefined : `only ${this.names().join(', ')}`,
    );

    return this.heard.find(([each]) => each === name)![1];
  }

  async isClosed(): Promise<string> {
    await waitUntil('the socket closing', () => (this.closed === undefined ? 'open' : undefined));

    return this.closed!;
  }
}

/** A gateway on loopback over real rooms with fake media and a clock that stands still. */
export class SocketServer {
  readonly conference: Conference;
  readonly gateway: WebSocketGateway;
  readonly url: string;
  readonly #http: Server;
  readonly #pages: TestPage[] = [];
  readonly #wires = new Set<Duplex>();

  private constructor(
    http: Server,
    limits: Partial<WebSocketGatewayLimits>,
    settings: { autoCreate?: boolean },
  ) {
    this.#http = http;
    this.url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
    this.conference = new Conference(settings);
    http.on('upgrade', (_request, wire) => this.#wires.add(wire));
    this.gateway = new WebSocketGateway({
      httpServer: http,
      rooms: this.conference.rooms,
      clock: this.conference.clock,
      logger: silentLogger,
      reconnectTimeout: 15_000,
      limits,
    });
  }

  static async start(
    limits: Partial<WebSocketGatewayLimits> = {},
    settings: { autoCreate?: boolean } = {},
  ): Promise<SocketServer> {
    const http = createServer();
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));

    return new SocketServer(http, limits, settings);
  }

  page(headers?: Record<string, string>): TestPage {
    const page = new TestPage(this.url, headers);
    this.#pages.push(page);

    return page;
  }

  async joined(name: string): Promise<{ page: TestPage; answer: JoinAnswer }> {
    const page = this.page();

    return { page, answer: await page.join(name) };
  }

  /** The network breaks: nobody says goodbye. */
  async cutWires(): Promise<void> {
    for (const wire of this.#wires) wire.destroy();
    this.#wires.clear();
    await this.settled(() => this.gateway.counters().sockets === 0);
  }

  async settled(check: () => boolean): Promise<void> {
    await waitUntil('the server noticing', () => (check() ? undefined : 'not noticed'));
  }

  roster(): string[] {
    return this.conference.rooms.list().flatMap((room) => room.roster().map(({ name }) => name));
  }

  async close(): Promise<void> {
    for (const page of this.#pages) page.socket.disconnect();
    await this.conference.rooms.shutdown();
    this.gateway.close();
    await new Promise((resolve) => this.#http.close(resolve));
  }
}
