import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  buildResponse,
  newBranch,
  serializeMessage,
} from '../../../../signaling/sip/message/index.ts';
import type { SendTarget, TransportLayer } from '../../../../signaling/sip/transport/index.ts';
import {
  anInvite,
  aRequest,
  bytesOf,
  parsedRequest,
  parsedResponse,
  received,
} from '../../../support/message-builder.ts';
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

describe('requests', () => {
  function prepare(target: SendTarget, body = 0): ReturnType<TransportLayer['prepareRequest']> {
    const content = 'x'.repeat(body);
    const request = aRequest('MESSAGE', { body: { type: 'text/plain', content } });

    return listening.layer.prepareRequest(request, target, newBranch());
  }

  it('3581-3-a carry rport, our branch, and the address they come from', async () => {
    const peer = await listening.udp();
    const outgoing = prepare({ protocol: 'UDP', address: '127.0.0.1', port: peer.port });
    outgoing.send(failOnError);
    const request = parsedRequest(await peer.next());
    expect(request.via).toMatchObject({
      transport: 'UDP',
      host: '127.0.0.1',
      port: listening.udpPort,
    });
    expect(request.via.params.has('rport')).toBe(true);
    expect(outgoing.reliable).toBe(false);
    expect(listening.counted).toEqual(['out MESSAGE']);
  });

  it('3261-18.1.1-a over 1300 octets go over TCP, and back to UDP when that is refused', async () => {
    const peer = await listening.udp();
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

  it('3261-18.1.1-a a peer that refused TCP is not asked again for ten minutes', async () => {
    const peer = await listening.udp();
    const target: SendTarget = { protocol: 'UDP', address: '127.0.0.1', port: peer.port };
    const protocolOf = (to: SendTarget): string => prepare(to, 2_000).target.protocol;
    expect(prepare(target, 2_000).fallBack()).toBe(true);
    expect(protocolOf(target)).toBe('UDP');
    expect(protocolOf({ ...target, port: 1 })).toBe('TCP');
    listening.clock.advance(600_000);
    expect(protocolOf(target)).toBe('TCP');
  });

  it('3261-18.1.1-a up to 1300 octets go as they are', () => {
    const target: SendTarget = { protocol: 'UDP', address: '127.0.0.1', port: 9 };
    const sizeOf = (body: number): number => serializeMessage(prepare(target, body).request).length;
    const head = sizeOf(900) - 900;
    const largest = 1_300 - head;
    expect(sizeOf(largest)).toBe(1_300);
    expect(prepare(target, largest).target.protocol).toBe('UDP');
    expect(prepare(target, largest + 1).target.protocol).toBe('TCP');
  });

  it('reuse the connection of the peer, by host and port or by its id', async () => {
    const peer = await listening.tcp();
    peer.send(bytesOf(received(anInvite())));
    const { flow } = await listening.nextRequest();
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
    const { server, port, first, reply } = await tcpListener();
    prepare({ protocol: 'TCP', address: '127.0.0.1', port }).send(failOnError);
    const request = parsedRequest(await first);
    const answered = new Promise<void>((resolve) => {
      listening.layer.user = {
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
    const { port } = (await listening.layer.listen('UDP', at)).local;
    const peer = await listening.udp(port, '::1');
    peer.send(
      bytesOf(received(anInvite(), 'SIP/2.0/UDP [2001:db8::1]:5060;branch=z9hG4bK1;rport')),
    );
    const { message, flow } = await listening.nextRequest();
    expect(message.via.params.get('received')).toBe('::1');
    listening.layer.sendResponse(buildResponse(message, 200), flow, failOnError);
    expect(parsedResponse(await peer.next()).via.host).toBe('2001:db8::1');
    const target: SendTarget = { protocol: 'UDP', address: '::1', port: peer.port };
    listening.layer.prepareRequest(aRequest('OPTIONS'), target, newBranch()).send(failOnError);
    expect(parsedRequest(await peer.next()).headers.get('via')).toMatch(`[::1]:${String(port)}`);
  });
});
