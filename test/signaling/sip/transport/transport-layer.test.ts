import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { buildResponse, newBranch } from '../../../../signaling/sip/message/index.ts';
import type { RemoteFlow, SendTarget } from '../../../../signaling/sip/transport/index.ts';
import {
  anInvite,
  aRequest,
  bytesOf,
  parsedResponse,
  received,
  wire,
} from '../../../support/message-builder.ts';
import { freePort } from '../../../support/free-ports.ts';
import { failOnError, ListeningLayer } from './listening-layer.ts';
import { tcpListener } from './tcp-listener.ts';

let listening: ListeningLayer;

beforeEach(async () => {
  listening = await ListeningLayer.open();
});

afterEach(async () => {
  await listening.close();
  expect(listening.clock.pendingTimers).toBe(0);
});

describe('received and rport', () => {
  it('3581-4-a an empty rport is filled and received added', async () => {
    const peer = await listening.udp();
    peer.send(bytesOf(received(anInvite())));
    const { message, flow } = await listening.nextRequest();
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
    const peer = await listening.udp();
    peer.send(
      bytesOf(received(anInvite(), `SIP/2.0/UDP ${host}:5999;branch=z9hG4bK1, SIP/2.0/TCP p2`)),
    );
    const { message } = await listening.nextRequest();
    expect(message.via.params.get('received')).toBe(expected);
    expect(message.via.params.has('rport')).toBe(false);
    expect(message.vias.map((via) => via.host)).toEqual([host, 'p2']);
  });
});

describe('responses over UDP', () => {
  it('3581-4-b go to received and rport, from the port the request came to', async () => {
    const peer = await listening.udp();
    peer.send(bytesOf(received(anInvite())));
    const { message, flow } = await listening.nextRequest();
    listening.layer.sendResponse(buildResponse(message, 180), flow, failOnError);
    expect(parsedResponse(await peer.next()).status).toBe(180);
    expect(listening.counted).toEqual(['in INVITE', 'out 180']);
    expect(listening.traced).toHaveLength(2);
    expect(listening.traced[1]).toMatch(`out UDP ${String(peer.port)} `);
  });

  it('3261-18.2.2-a without rport they go to the port of sent-by', async () => {
    const [sender, other] = [await listening.udp(), await listening.udp()];
    sender.send(
      bytesOf(received(anInvite(), `SIP/2.0/UDP 10.9.8.7:${String(other.port)};branch=z9hG4bK1`)),
    );
    const { message, flow } = await listening.nextRequest();
    listening.layer.sendResponse(buildResponse(message, 200), flow, failOnError);
    expect(parsedResponse(await other.next()).status).toBe(200);
  });

  it('3261-18.2.2-a maddr comes first', async () => {
    const [sender, other] = [await listening.udp(), await listening.udp()];
    const via = `SIP/2.0/UDP 10.9.8.7:${String(other.port)};branch=z9hG4bK1;maddr=127.0.0.1;rport`;
    sender.send(bytesOf(received(anInvite(), via)));
    const { message, flow } = await listening.nextRequest();
    listening.layer.sendResponse(buildResponse(message, 200), flow, failOnError);
    expect(parsedResponse(await other.next()).status).toBe(200);
  });

  it('a port that cannot be sent to is an error, not a throw', async () => {
    const peer = await listening.udp();
    peer.send(bytesOf(received(anInvite(), 'SIP/2.0/UDP 127.0.0.1:0;branch=z9hG4bK1')));
    const { message, flow } = await listening.nextRequest();
    const error = await new Promise<Error>((resolve) => {
      listening.layer.sendResponse(buildResponse(message, 200), flow, resolve);
    });
    expect(error.message).not.toBe('');
  });
});

describe('malformed messages', () => {
  it('a malformed request is answered with 400, statelessly, and counted', async () => {
    const peer = await listening.udp();
    const text = Buffer.from(bytesOf(received(aRequest('OPTIONS')))).toString();
    peer.send(text.replace('1 OPTIONS', '1 INVITE'));
    const answer = parsedResponse(await peer.next());
    expect([answer.status, answer.reason]).toEqual([
      400,
      'Bad Request: CSeq method differs from the request',
    ]);
    expect(answer.callId).toBe('call-1@phone.example');
    expect(listening.counted).toEqual(['malformed UDP', 'out 400']);
  });

  it('garbage, responses out of order and keep-alives are not; the next request is served', async () => {
    const peer = await listening.udp();
    for (const text of [
      '\r\n\r\n',
      '\0',
      'garbage',
      'SIP/2.0 999 x\r\n\r\n',
      'INVITE x SIP/2.0\r\n\r\n',
    ])
      peer.send(text);
    peer.send(bytesOf(received(aRequest('OPTIONS'))));
    await listening.nextRequest();
    expect(listening.counted).toEqual([
      'malformed UDP',
      'malformed UDP',
      'malformed UDP',
      'in OPTIONS',
    ]);
  });

  it('18.1.2 a response with more than one Via is not ours', async () => {
    const peer = await listening.udp();
    const stray = received(
      aRequest('OPTIONS'),
      'SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK1, SIP/2.0/UDP h2',
    );
    peer.send(bytesOf(buildResponse(stray, 200)));
    peer.send(bytesOf(received(aRequest('OPTIONS'))));
    await listening.nextRequest();
    expect(listening.responses).toEqual([]);
  });
});

describe('TCP', () => {
  it('3261-18.3-a octet by octet, and two in one segment', async () => {
    const peer = await listening.tcp();
    for (const byte of bytesOf(received(anInvite()))) peer.send(Uint8Array.of(byte));
    expect((await listening.nextRequest()).message.method).toBe('INVITE');
    const both = [aRequest('OPTIONS'), aRequest('BYE')].map((request) =>
      bytesOf(received(request)),
    );
    peer.send(Buffer.concat(both));
    expect((await listening.nextRequest()).message.method).toBe('OPTIONS');
    expect((await listening.nextRequest()).message.method).toBe('BYE');
  });

  it('3261-18.2.2-a responses come back on the connection, whatever Via says', async () => {
    const peer = await listening.tcp();
    peer.send(bytesOf(received(anInvite(), 'SIP/2.0/TCP 192.0.2.1:9;branch=z9hG4bK1')));
    const { message, flow } = await listening.nextRequest();
    listening.layer.sendResponse(buildResponse(message, 200), flow, failOnError);
    expect(parsedResponse(await peer.next()).status).toBe(200);
  });

  it('3261-18.2.2-a a connection that is gone is opened again to received and the sent-by port', async () => {
    const { server, port, first } = await tcpListener();
    const peer = await listening.tcp();
    peer.send(
      bytesOf(received(anInvite(), `SIP/2.0/TCP phone.example:${String(port)};branch=z9hG4bK1`)),
    );
    const { message, flow } = await listening.nextRequest();
    peer.close();
    await peer.closed;
    await untilClosed(flow);
    listening.layer.sendResponse(buildResponse(message, 200), flow, failOnError);
    expect(parsedResponse(await first).status).toBe(200);
    server.close();
  });

  it('3263-5-a and when nobody is there, to where the sent-by name is served', async () => {
    const { server, port, first } = await tcpListener();
    const peer = await listening.tcp();
    const closedPort = await freePort();
    const via = `SIP/2.0/TCP phone.example:${String(closedPort)};branch=z9hG4bK1`;
    peer.send(bytesOf(received(anInvite(), via)));
    const { message, flow } = await listening.nextRequest();
    peer.close();
    await peer.closed;
    await untilClosed(flow);
    const at = { protocol: 'TCP', address: '127.0.0.1' } as const;
    const places = [closedPort, await freePort(), port].map((number) => ({ ...at, port: number }));
    listening.places.set('phone.example', places);
    listening.layer.sendResponse(buildResponse(message, 200), flow, failOnError);
    expect(parsedResponse(await first).status).toBe(200);
    server.close();
    listening.places.clear();
    const error = await new Promise<Error>((resolve) => {
      const unreachable = { ...flow, remote: { ...flow.remote, port: 1 }, connectionId: 'none' };
      listening.layer.sendResponse(buildResponse(message, 200), unreachable, resolve);
    });
    expect(error.message).toMatch(/ECONNREFUSED/);
  });

  it('5626-4.4.1-a CRLFCRLF is answered with CRLF', async () => {
    const peer = await listening.tcp();
    peer.send('\r\n\r\n');
    expect(await peer.next()).toBe('\r\n');
  });

  it('3261-20.14-a conflicting Content-Length: 400, then the connection ends', async () => {
    const peer = await listening.tcp();
    const lines = Buffer.from(bytesOf(received(aRequest('OPTIONS'))))
      .toString()
      .trimEnd()
      .split('\r\n');
    peer.send(wire(...lines, 'l: 5'));
    expect(parsedResponse(await peer.next()).status).toBe(400);
    await peer.closed;
    expect(listening.counted).toEqual(['malformed TCP', 'out 400']);
  });

  it('a message that stays incomplete, and a connection that says nothing, are closed in time', async () => {
    const [partial, silent, used] = [
      await listening.tcp(),
      await listening.tcp(),
      await listening.tcp(),
    ];
    partial.send('OPTIONS sip:x SIP/2.0\r\n');
    used.send(bytesOf(received(anInvite())));
    await listening.nextRequest();
    listening.clock.advance(36_000);
    await Promise.all([partial.closed, silent.closed]);
    used.send(bytesOf(received(anInvite())));
    await listening.nextRequest();
    listening.clock.advance(7_204_000);
    await used.closed;
  });

  it('more connections than allowed are refused', async () => {
    const open = [await listening.tcp(), await listening.tcp(), await listening.tcp()];
    const extra = await listening.tcp();
    await extra.closed;
    expect(open.every((peer) => !peer.socket.destroyed)).toBe(true);
  });
});

/** Until the server side has seen the end of that connection. */
async function untilClosed(flow: RemoteFlow): Promise<void> {
  const target: SendTarget = { ...flow.remote, protocol: 'TCP', connectionId: flow.connectionId };
  for (;;) {
    const gone = await new Promise<boolean>((resolve) => {
      listening.layer.prepareRequest(aRequest('OPTIONS'), target, newBranch()).send(() => {
        resolve(true);
      });
      setImmediate(() => {
        resolve(false);
      });
    });
    if (gone) return;
  }
}
