import { createServer, type Server } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { WebSocket } from 'ws';
import { silentLogger } from '../../../../base/index.ts';
import { buildResponse, type SipRequest } from '../../../../signaling/sip/message/index.ts';
import {
  flowTarget,
  TransportLayer,
  WsTransport,
  type RemoteFlow,
} from '../../../../signaling/sip/transport/index.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { aRequest, bytesOf, parsedResponse, received } from '../../../support/message-builder.ts';

const VIA = 'SIP/2.0/WS df7jal23ls0d.invalid;branch=z9hG4bK56sdasks';
const PING_MS = 1_000;

let clock: FakeClock;
let layer: TransportLayer;
let transport: WsTransport;
let http: Server;
let port: number;
let malformed: number;
let requests: { request: SipRequest; flow: RemoteFlow }[];

beforeEach(async () => {
  clock = new FakeClock();
  malformed = 0;
  requests = [];
  const ignore = (): undefined => undefined;
  layer = new TransportLayer({
    clock,
    logger: silentLogger,
    counters: {
      requestIn: ignore,
      requestOut: ignore,
      responseIn: ignore,
      responseOut: ignore,
      malformed: () => (malformed += 1),
    },
  });
  layer.user = {
    onRequest: (request, flow) => {
      requests.push({ request, flow });
      layer.sendResponse(buildResponse(request, 200), flow, (error) => {
        throw error;
      });
    },
    onResponse: ignore,
  };
  http = createServer();
  transport = new WsTransport(layer, {
    server: http,
    secure: false,
    clock,
    allowedOrigins: ['https://crm.example'],
    limits: { maxPerAddress: 2, pingMs: PING_MS },
  });
  layer.addTransport(transport);
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  port = transport.local.port;
});

afterEach(async () => {
  await layer.close();
  await new Promise((resolve) => http.close(resolve));
  expect(clock.pendingTimers).toBe(0);
});

interface Handshake {
  path?: string;
  protocols?: string[];
  origin?: string;
  autoPong?: boolean;
}

/** Open, or the status of the refusal. */
async function dial(options: Handshake = {}): Promise<WebSocket | number> {
  const { path = '/sip', protocols = ['sip'], origin, autoPong = true } = options;
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, protocols, {
    autoPong,
    ...(origin !== undefined && { origin }),
  });
  socket.on('error', () => undefined);

  return new Promise((resolve) => {
    socket.on('open', () => {
      resolve(socket);
    });
    socket.on('unexpected-response', (_request, response) => {
      resolve(response.statusCode ?? 0);
    });
  });
}

async function open(options: Handshake = {}): Promise<WebSocket> {
  const socket = await dial(options);
  if (typeof socket === 'number') throw new Error(`refused with ${socket}`);

  return socket;
}

function next(socket: WebSocket): Promise<string> {
  return new Promise((resolve) => {
    socket.once('message', (data: Buffer) => {
      resolve(data.toString());
    });
  });
}

function closed(socket: WebSocket): Promise<number> {
  return new Promise((resolve) => {
    socket.once('close', resolve);
  });
}

function options(): Buffer {
  return Buffer.from(bytesOf(received(aRequest('OPTIONS'), VIA)));
}

describe('RFC 7118: the handshake', () => {
  it('7118-4.1-a speaks the subprotocol sip, and says so in its 101', async () => {
    const socket = await open({ protocols: ['other', 'sip'] });
    expect(socket.protocol).toBe('sip');
  });

  it.each([
    [{ protocols: ['other'] }, 400],
    [{ protocols: [] }, 400],
  ])('7118-4.1-a without it is refused: %j, %i', async (handshake, status) => {
    expect(await dial(handshake)).toBe(status);
  });

  it.each([
    [{ origin: 'https://evil.example' }, 403],
    [{ origin: 'null' }, 403],
  ])('7118-7-a pages of others are refused: %j, %i', async (handshake, status) => {
    expect(await dial(handshake)).toBe(status);
  });

  it.each(['http://127.0.0.1:8080', 'http://localhost', 'https://crm.example'])(
    '7118-7-a pages of %s may connect',
    async (origin) => {
      expect(await open({ origin })).toBeInstanceOf(WebSocket);
    },
  );

  it('lets so many in from one address and no more', async () => {
    await open();
    const second = await open();
    expect(await dial()).toBe(503);
    second.close();
    await closed(second);
    expect(await open()).toBeInstanceOf(WebSocket);
  });
});

describe('RFC 7118: messages', () => {
  it.each([false, true])('7118-4.2-a 7118-5-a one message a frame, binary %s', async (binary) => {
    const socket = await open();
    socket.send(options(), { binary });
    const response = parsedResponse(await next(socket));
    expect(response.status).toBe(200);
    expect(response.via.params.get('received')).toBe('127.0.0.1');
  });

  it('7118-5-a needs no Content-Length', async () => {
    const socket = await open();
    const text = options()
      .toString()
      .replace(/Content-Length:[^\r]*\r\n/, '');
    socket.send(text);
    expect(parsedResponse(await next(socket)).status).toBe(200);
  });

  it('7118-5-a and then the body is the rest of the frame', async () => {
    const socket = await open();
    const text = options()
      .toString()
      .replace(/Content-Length:[^\r]*\r\n/, 'Content-Type: text/plain\r\n');
    socket.send(`${text}Grüße`);
    expect(parsedResponse(await next(socket)).status).toBe(200);
    expect(requests[0]!.request.bodyText).toBe('Grüße');
  });

  it('7118-5-a what follows a message in its frame is no second one', async () => {
    const socket = await open();
    socket.send(`${options().toString()}${options().toString()}`);
    await next(socket);
    socket.send(options());
    await next(socket);
    expect(requests).toHaveLength(2);
  });

  it('7118-5.1-a is "WSS" in Via where the server speaks TLS', async () => {
    const server = createServer();
    const secure = new WsTransport(layer, { server, secure: true, clock });
    layer.addTransport(secure);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const socket = new WebSocket(`ws://127.0.0.1:${secure.local.port}/sip`, 'sip');
    await new Promise((resolve) => socket.once('open', resolve));
    socket.send(options().toString().replace('SIP/2.0/WS', 'SIP/2.0/WSS'));
    await next(socket);
    const { flow } = requests[0]!;
    expect(flow.protocol).toBe('WSS');
    layer.prepareRequest(aRequest('BYE'), flowTarget(flow), 'z9hG4bKx').send(() => undefined);
    expect(await next(socket)).toMatch(/^BYE .*\r\nVia: SIP\/2\.0\/WSS 127\.0\.0\.1:/);
    socket.terminate();
    await secure.close();
    await new Promise((resolve) => server.close(resolve));
  });

  it('7118-5.3-a 7118-5.1-a reaches a client by its connection only', async () => {
    const socket = await open();
    socket.send(options());
    await next(socket);
    const { flow } = requests[0]!;
    const request = layer.prepareRequest(aRequest('BYE'), flowTarget(flow), 'z9hG4bKx');
    request.send(() => undefined);
    expect(await next(socket)).toMatch(/^BYE .*\r\nVia: SIP\/2\.0\/WS 127\.0\.0\.1:/);
    socket.close();
    await closed(socket);
    const error = await new Promise<Error>((resolve) => {
      request.send(resolve);
    });
    expect(error.message).toMatch(/closed/);
  });

  it('7118-5.3-a answers a client whose host is *.invalid on its connection, and nowhere else', async () => {
    const socket = await open();
    socket.send(options());
    expect(parsedResponse(await next(socket)).via.host).toBe('df7jal23ls0d.invalid');
    const { request, flow } = requests[0]!;
    socket.close();
    await closed(socket);
    const error = await new Promise<Error>((resolve) => {
      layer.sendResponse(buildResponse(request, 200), flow, resolve);
    });
    expect(error.message).toMatch(/closed/);
  });

  it('counts what is no SIP, and goes on', async () => {
    const socket = await open();
    socket.send('hello');
    socket.send(options());
    await next(socket);
    expect(malformed).toBe(1);
  });

  it('closes on a message over the bound', async () => {
    const socket = await open();
    socket.send(Buffer.alloc(70_000, 0x61));
    expect(await closed(socket)).toBe(1009);
  });

  it('7118-6-a 5626-4.4.1-a answers the double CRLF with one', async () => {
    const socket = await open();
    socket.send('\r\n\r\n');
    expect(await next(socket)).toBe('\r\n');
    socket.send('\r\n');
    socket.send(options());
    await next(socket);
    expect(malformed).toBe(0);
  });

  it('7118-6-a pings, and lets go who does not answer', async () => {
    const awake = await open();
    const asleep = await open({ autoPong: false });
    const pinged = Promise.all(
      [awake, asleep].map((socket) => new Promise((resolve) => socket.once('ping', resolve))),
    );
    clock.advance(PING_MS);
    await pinged;
    awake.send(options());
    await next(awake);
    clock.advance(PING_MS);
    await closed(asleep);
    expect(awake.readyState).toBe(WebSocket.OPEN);
  });
});
