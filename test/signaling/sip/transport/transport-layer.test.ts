import { createServer, type Server } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { silentLogger } from '../../../../base/index.ts';
import {
  buildResponse,
  newBranch,
  serializeMessage,
  type SipRequest,
  type SipResponse,
} from '../../../../signaling/sip/message/index.ts';
import {
  TransportLayer,
  type RemoteFlow,
  type SendTarget,
} from '../../../../signaling/sip/transport/index.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import {
  anInvite,
  aRequest,
  bytesOf,
  parsedRequest,
  parsedResponse,
  received,
  wire,
} from '../../../support/message-builder.ts';
import { tcpPeer, udpPeer, type RawPeer } from './raw-peer.ts';

interface Arrived<T> {
  message: T;
  flow: RemoteFlow;
}

let clock: FakeClock;
let layer: TransportLayer;
let udpPort: number;
let tcpPort: number;
let counted: string[];
let traced: string[];
let peers: RawPeer[];
let requestWaiters: ((arrived: Arrived<SipRequest>) => void)[];
let requests: Arrived<SipRequest>[];
let responses: SipResponse[];

beforeEach(async () => {
  clock = new FakeClock();
  counted = [];
  traced = [];
  peers = [];
  requests = [];
  requestWaiters = [];
  responses = [];
  layer = new TransportLayer({
    clock,
    logger: silentLogger,
    counters: {
      requestIn: (method) => counted.push(`in ${method}`),
      requestOut: (method) => counted.push(`out ${method}`),
      responseIn: (code) => counted.push(`in ${String(code)}`),
      responseOut: (code) => counted.push(`out ${String(code)}`),
      malformed: (transport) => counted.push(`malformed ${transport}`),
    },
    onTrace: (direction, protocol, remote, bytes) => {
      traced.push(`${direction} ${protocol} ${String(remote.port)} ${String(bytes.length)}`);
    },
    tcpLimits: { maxConnections: 3 },
  });
  layer.user = {
    onRequest: (message, flow) => {
      const waiter = requestWaiters.shift();
      if (waiter === undefined) requests.push({ message, flow });
      else waiter({ message, flow });
    },
    onResponse: (message) => responses.push(message),
  };
  const at = { address: '127.0.0.1', port: 0 };
  udpPort = (await layer.listen('UDP', at)).local.port;
  tcpPort = (await layer.listen('TCP', at)).local.port;
});

afterEach(async () => {
  for (const peer of peers) peer.close();
  await layer.close();
  expect(clock.pendingTimers).toBe(0);
});

async function udp(): Promise<RawPeer> {
  const peer = await udpPeer(udpPort);
  peers.push(peer);

  return peer;
}

async function tcp(): ReturnType<typeof tcpPeer> {
  const peer = await tcpPeer(tcpPort);
  peers.push(peer);

  return peer;
}

function nextRequest(): Promise<Arrived<SipRequest>> {
  const arrived = requests.shift();
  if (arrived !== undefined) return Promise.resolve(arrived);

  return new Promise((resolve) => {
    requestWaiters.push(resolve);
  });
}

function failOnError(error: Error): void {
  throw error;
}

describe('received and rport', () => {
  it('3581-4-a an empty rport is filled and received added', async () => {
    const peer = await udp();
    peer.send(bytesOf(received(anInvite())));
    const { message, flow } = await nextRequest();
    expect(message.via.params.get('rport')).toBe(String(peer.port));
    expect(message.via.params.get('received')).toBe('127.0.0.1');
    expect(flow).toMatchObject({
      protocol: 'UDP',
      remote: { address: '127.0.0.1', port: peer.port },
    });
  });

  it.each([
    ['phone.example', '127.0.0.1'],
    ['192.0.2.7', '127.0.0.1'],
    ['127.0.0.1', undefined],
  ])('3261-18.2.1-a sent-by %s gets received %s', async (host, expected) => {
    const peer = await udp();
    peer.send(
      bytesOf(received(anInvite(), `SIP/2.0/UDP ${host}:5999;branch=z9hG4bK1, SIP/2.0/TCP p2`)),
    );
    const { message } = await nextRequest();
    expect(message.via.params.get('received')).toBe(expected);
    expect(message.via.params.has('rport')).toBe(false);
    expect(message.vias.map((via) => via.host)).toEqual([host, 'p2']);
  });
});

describe('responses over UDP', () => {
  it('3581-4-b go to received and rport, from the port the request came to', async () => {
    const peer = await udp();
    peer.send(bytesOf(received(anInvite())));
    const { message, flow } = await nextRequest();
    layer.sendResponse(buildResponse(message, 180), flow, failOnError);
    expect(parsedResponse(await peer.next()).status).toBe(180);
    expect(counted).toEqual(['in INVITE', 'out 180']);
    expect(traced).toHaveLength(2);
    expect(traced[1]).toMatch(`out UDP ${String(peer.port)} `);
  });

  it('3261-18.2.2-a without rport they go to the port of sent-by', async () => {
    const [sender, other] = [await udp(), await udp()];
    sender.send(
      bytesOf(received(anInvite(), `SIP/2.0/UDP 10.9.8.7:${String(other.port)};branch=z9hG4bK1`)),
    );
    const { message, flow } = await nextRequest();
    layer.sendResponse(buildResponse(message, 200), flow, failOnError);
    expect(parsedResponse(await other.next()).status).toBe(200);
  });

  it('3261-18.2.2-a maddr comes first', async () => {
    const [sender, other] = [await udp(), await udp()];
    const via = `SIP/2.0/UDP 10.9.8.7:${String(other.port)};branch=z9hG4bK1;maddr=127.0.0.1;rport`;
    sender.send(bytesOf(received(anInvite(), via)));
    const { message, flow } = await nextRequest();
    layer.sendResponse(buildResponse(message, 200), flow, failOnError);
    expect(parsedResponse(await other.next()).status).toBe(200);
  });

  it('a port that cannot be sent to is an error, not a throw', async () => {
    const peer = await udp();
    peer.send(bytesOf(received(anInvite(), 'SIP/2.0/UDP 127.0.0.1:0;branch=z9hG4bK1')));
    const { message, flow } = await nextRequest();
    const error = await new Promise<Error>((resolve) => {
      layer.sendResponse(buildResponse(message, 200), flow, resolve);
    });
    expect(error.message).not.toBe('');
  });
});

describe('malformed messages', () => {
  it('a malformed request is answered with 400, statelessly, and counted', async () => {
    const peer = await udp();
    const text = Buffer.from(bytesOf(received(aRequest('OPTIONS')))).toString();
    peer.send(text.replace('1 OPTIONS', '1 INVITE'));
    const answer = parsedResponse(await peer.next());
    expect([answer.status, answer.reason]).toEqual([
      400,
      'Bad Request: CSeq method differs from the request',
    ]);
    expect(answer.callId).toBe('call-1@phone.example');
    expect(counted).toEqual(['malformed UDP', 'out 400']);
  });

  it('garbage, responses out of order and keep-alives are not; the next request is served', async () => {
    const peer = await udp();
    for (const text of [
      '\r\n\r\n',
      '\0',
      'garbage',
      'SIP/2.0 999 x\r\n\r\n',
      'INVITE x SIP/2.0\r\n\r\n',
    ])
      peer.send(text);
    peer.send(bytesOf(received(aRequest('OPTIONS'))));
    await nextRequest();
    expect(counted).toEqual(['malformed UDP', 'malformed UDP', 'malformed UDP', 'in OPTIONS']);
  });

  it('18.1.2 a response with more than one Via is not ours', async () => {
    const peer = await udp();
    const stray = received(
      aRequest('OPTIONS'),
      'SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK1, SIP/2.0/UDP h2',
    );
    peer.send(bytesOf(buildResponse(stray, 200)));
    peer.send(bytesOf(received(aRequest('OPTIONS'))));
    await nextRequest();
    expect(responses).toEqual([]);
  });
});

describe('TCP', () => {
  it('3261-18.3-a octet by octet, and two in one segment', async () => {
    const peer = await tcp();
    for (const byte of bytesOf(received(anInvite()))) peer.send(Uint8Array.of(byte));
    expect((await nextRequest()).message.method).toBe('INVITE');
    const both = [aRequest('OPTIONS'), aRequest('BYE')].map((request) =>
      bytesOf(received(request)),
    );
    peer.send(Buffer.concat(both));
    expect((await nextRequest()).message.method).toBe('OPTIONS');
    expect((await nextRequest()).message.method).toBe('BYE');
  });

  it('3261-18.2.2-a responses come back on the connection, whatever Via says', async () => {
    const peer = await tcp();
    peer.send(bytesOf(received(anInvite(), 'SIP/2.0/TCP 192.0.2.1:9;branch=z9hG4bK1')));
    const { message, flow } = await nextRequest();
    layer.sendResponse(buildResponse(message, 200), flow, failOnError);
    expect(parsedResponse(await peer.next()).status).toBe(200);
  });

  it('3261-18.2.2-a a connection that is gone is opened again to received and the sent-by port', async () => {
    const { server, port, first } = await listener();
    const peer = await tcp();
    peer.send(
      bytesOf(received(anInvite(), `SIP/2.0/TCP phone.example:${String(port)};branch=z9hG4bK1`)),
    );
    const { message, flow } = await nextRequest();
    peer.close();
    await peer.closed;
    await untilClosed(flow);
    layer.sendResponse(buildResponse(message, 200), flow, failOnError);
    expect(parsedResponse(await first).status).toBe(200);
    server.close();
  });

  it('5626-4.4.1-a CRLFCRLF is answered with CRLF', async () => {
    const peer = await tcp();
    peer.send('\r\n\r\n');
    expect(await peer.next()).toBe('\r\n');
  });

  it('3261-20.14-a conflicting Content-Length: 400, then the connection ends', async () => {
    const peer = await tcp();
    const lines = Buffer.from(bytesOf(received(aRequest('OPTIONS'))))
      .toString()
      .trimEnd()
      .split('\r\n');
    peer.send(wire(...lines, 'l: 5'));
    expect(parsedResponse(await peer.next()).status).toBe(400);
    await peer.closed;
    expect(counted).toEqual(['malformed TCP', 'out 400']);
  });

  it('a message that stays incomplete, and a connection that says nothing, are closed in time', async () => {
    const [partial, silent, used] = [await tcp(), await tcp(), await tcp()];
    partial.send('OPTIONS sip:x SIP/2.0\r\n');
    used.send(bytesOf(received(anInvite())));
    await nextRequest();
    clock.advance(36_000);
    await Promise.all([partial.closed, silent.closed]);
    used.send(bytesOf(received(anInvite())));
    await nextRequest();
    clock.advance(7_204_000);
    await used.closed;
  });

  it('more connections than allowed are refused', async () => {
    const open = [await tcp(), await tcp(), await tcp()];
    const extra = await tcp();
    await extra.closed;
    expect(open.every((peer) => !peer.socket.destroyed)).toBe(true);
  });
});

describe('requests', () => {
  function prepare(target: SendTarget, body = 0): ReturnType<TransportLayer['prepareRequest']> {
    const content = 'x'.repeat(body);
    const request = aRequest('MESSAGE', { body: { type: 'text/plain', content } });

    return layer.prepareRequest(request, target, newBranch());
  }

  it('3581-3-a carry rport, our branch, and the address they come from', async () => {
    const peer = await udp();
    const outgoing = prepare({ protocol: 'UDP', address: '127.0.0.1', port: peer.port });
    outgoing.send(failOnError);
    const request = parsedRequest(await peer.next());
    expect(request.via).toMatchObject({ transport: 'UDP', host: '127.0.0.1', port: udpPort });
    expect(request.via.params.has('rport')).toBe(true);
    expect(outgoing.reliable).toBe(false);
    expect(counted).toEqual(['out MESSAGE']);
  });

  it('3261-18.1.1-a over 1300 octets go over TCP, and back to UDP when that is refused', async () => {
    const peer = await udp();
    const target: SendTarget = { protocol: 'UDP', address: '127.0.0.1', port: peer.port };
    const outgoing = prepare(target, 2_000);
    expect(outgoing.target.protocol).toBe('TCP');
    expect(outgoing.request.via.transport).toBe('TCP');
    await new Promise<Error>((resolve) => {
      outgoing.send(resolve);
    });
    expect(outgoing.fallBack()).toBe(true);
    outgoing.send(failOnError);
    const request = parsedRequest(await peer.next());
    expect([request.via.transport, outgoing.reliable, outgoing.fallBack()]).toEqual([
      'UDP',
      false,
      false,
    ]);
  });

  it('reuse the connection of the peer, by host and port or by its id', async () => {
    const peer = await tcp();
    peer.send(bytesOf(received(anInvite())));
    const { flow } = await nextRequest();
    prepare({ protocol: 'TCP', address: '127.0.0.1', port: peer.port }).send(failOnError);
    expect(parsedRequest(await peer.next()).method).toBe('MESSAGE');
    const byId = {
      protocol: 'TCP',
      address: '192.0.2.1',
      port: 1,
      connectionId: flow.connectionId,
    } as const;
    prepare(byId).send(failOnError);
    expect(parsedRequest(await peer.next()).method).toBe('MESSAGE');
  });

  it('open a connection, used for the answers too', async () => {
    const { server, port, first, reply } = await listener();
    prepare({ protocol: 'TCP', address: '127.0.0.1', port }).send(failOnError);
    const request = parsedRequest(await first);
    const answered = new Promise<void>((resolve) => {
      layer.user = {
        onRequest: () => undefined,
        onResponse: () => {
          resolve();
        },
      };
    });
    reply(serializeMessage(buildResponse(request, 200)));
    await answered;
    server.close();
  });

  it('3261-18.4-a without a way there the error is told, later', async () => {
    for (const target of [
      { protocol: 'TLS', address: '127.0.0.1', port: 5061 },
      { protocol: 'UDP', address: '::1', port: 5060 },
      { protocol: 'TCP', address: '127.0.0.1', port: 1 },
      { protocol: 'TCP', address: '127.0.0.1', port: 1, connectionId: 'gone' },
      { protocol: 'UDP', address: '127.0.0.1', port: 0 },
    ] as const) {
      const error = await new Promise<Error>((resolve) => {
        prepare(target).send(resolve);
      });
      expect(error.message).not.toBe('');
    }
  });
});

describe('IPv6', () => {
  it('literals work in Via, as targets and as sources', async () => {
    const at = { address: '::1', port: 0 };
    const { port } = (await layer.listen('UDP', at)).local;
    const peer = await udpPeer(port, '::1');
    peers.push(peer);
    peer.send(
      bytesOf(received(anInvite(), 'SIP/2.0/UDP [2001:db8::1]:5060;branch=z9hG4bK1;rport')),
    );
    const { message, flow } = await nextRequest();
    expect(message.via.params.get('received')).toBe('::1');
    layer.sendResponse(buildResponse(message, 200), flow, failOnError);
    expect(parsedResponse(await peer.next()).via.host).toBe('2001:db8::1');
    const target: SendTarget = { protocol: 'UDP', address: '::1', port: peer.port };
    layer.prepareRequest(aRequest('OPTIONS'), target, newBranch()).send(failOnError);
    expect(parsedRequest(await peer.next()).headers.get('via')).toMatch(`[::1]:${String(port)}`);
  });
});

/** A TCP server that resolves with the first bytes it gets and can reply to them. */
async function listener(): Promise<{
  server: Server;
  port: number;
  first: Promise<Buffer>;
  reply: (bytes: Uint8Array) => void;
}> {
  const server = createServer();
  let reply: (bytes: Uint8Array) => void = () => undefined;
  const first = new Promise<Buffer>((resolve) => {
    server.on('connection', (socket) => {
      socket.on('error', () => undefined);
      socket.once('data', resolve);
      reply = (bytes) => {
        socket.write(bytes);
      };
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');

  return { server, port: address.port, first, reply: (bytes) => reply(bytes) };
}

/** Until the server side has seen the end of that connection. */
async function untilClosed(flow: RemoteFlow): Promise<void> {
  const target: SendTarget = { ...flow.remote, protocol: 'TCP', connectionId: flow.connectionId };
  for (;;) {
    const gone = await new Promise<boolean>((resolve) => {
      layer.prepareRequest(aRequest('OPTIONS'), target, newBranch()).send(() => {
        resolve(true);
      });
      setImmediate(() => {
        resolve(false);
      });
    });
    if (gone) return;
  }
}
