import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { afterEach, describe, expect, it } from '@jest/globals';
import { silentLogger } from '../../../../base/index.ts';
import {
  buildResponse,
  newBranch,
  type SipRequest,
} from '../../../../signaling/sip/message/index.ts';
import {
  requestTarget,
  TransportLayer,
  type RemoteFlow,
  type SendTarget,
  type TlsSettings,
} from '../../../../signaling/sip/transport/index.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { aRequest, bytesOf, parsedResponse, received } from '../../../support/message-builder.ts';

const FIXTURES = join(__dirname, '../../../fixtures/tls');
const AT = { address: '127.0.0.1', port: 0 };

function pem(name: string): Buffer {
  return readFileSync(join(FIXTURES, name));
}

function tlsOf(name: string, more: Partial<TlsSettings> = {}): TlsSettings {
  return { cert: pem(`${name}.pem`), key: pem(`${name}.key`), ca: pem('ca.pem'), ...more };
}

interface Stack {
  layer: TransportLayer;
  port: number;
  next(): Promise<{ request: SipRequest; flow: RemoteFlow }>;
}

const open: { close(): unknown }[] = [];

afterEach(async () => {
  for (const item of open.splice(0).reverse()) await item.close();
});

async function stack(tls: TlsSettings): Promise<Stack> {
  const layer = new TransportLayer({ clock: new FakeClock(), logger: silentLogger, tls });
  open.push(layer);
  const arrived: { request: SipRequest; flow: RemoteFlow }[] = [];
  const waiting: ((item: { request: SipRequest; flow: RemoteFlow }) => void)[] = [];
  layer.user = {
    onRequest: (request, flow) => {
      const waiter = waiting.shift();
      if (waiter === undefined) arrived.push({ request, flow });
      else waiter({ request, flow });
    },
    onResponse: () => undefined,
  };
  const { port } = (await layer.listen('TLS', AT)).local;

  return {
    layer,
    port,
    next: () => {
      const item = arrived.shift();

      return item === undefined
        ? new Promise((resolve) => waiting.push(resolve))
        : Promise.resolve(item);
    },
  };
}

/** What became of sending: "sent" when the other side has it. */
async function sendTo(from: Stack, to: Stack, target: Partial<SendTarget>): Promise<string> {
  return new Promise((resolve) => {
    const full: SendTarget = { protocol: 'TLS', address: '127.0.0.1', port: to.port, ...target };
    const outgoing = from.layer.prepareRequest(aRequest('OPTIONS'), full, newBranch());
    outgoing.send((error) => {
      resolve(error.message);
    });
    void to.next().then(({ request }) => {
      resolve(request.via.transport === 'TLS' ? 'sent' : request.via.transport);
    });
  });
}

describe('SIP over TLS', () => {
  it('3261-26.2.1-a shows its certificate, and answers on the connection of the request', async () => {
    const server = await stack(tlsOf('server'));
    const socket = await client(server.port);
    socket.write(bytesOf(received(aRequest('OPTIONS'), 'SIP/2.0/TLS phone;branch=z9hG4bK1')));
    const { request, flow } = await server.next();
    expect(flow.protocol).toBe('TLS');
    server.layer.sendResponse(buildResponse(request, 200), flow, (error) => {
      throw error;
    });
    const bytes = await new Promise<Buffer>((resolve) => socket.once('data', resolve));
    expect(parsedResponse(bytes).status).toBe(200);
  });

  it('refuses clients without a certificate where one is required', async () => {
    const server = await stack(tlsOf('server', { requireClientCertificate: true }));
    const refused = await client(server.port);
    await new Promise((resolve) => refused.once('close', resolve));
    const known = await stack(tlsOf('client'));
    expect(await sendTo(known, server, { domain: 'parley.example' })).toBe('sent');
  });

  it('5922-7.3-a sends only to who proves to be the SIP domain', async () => {
    const server = await stack(tlsOf('server'));
    const peer = await stack(tlsOf('client'));
    expect(await sendTo(peer, server, { domain: 'parley.example' })).toBe('sent');
    expect(await sendTo(peer, server, {})).toBe('sent');
    expect(await sendTo(peer, server, { domain: 'other.example' })).toMatch(/not of other.example/);
  });

  it('5922-7.2-a takes no wildcard certificate', async () => {
    const server = await stack(tlsOf('wildcard'));
    const peer = await stack(tlsOf('client'));
    const outcome = await sendTo(peer, server, { domain: 'a.parley.example' });
    expect(outcome).toMatch(/not of a.parley.example/);
  });

  it('sends nothing to who is signed by nobody that is trusted', async () => {
    const server = await stack(tlsOf('server'));
    const { cert, key } = tlsOf('client');
    const peer = await stack({ cert, key });
    const outcome = await sendTo(peer, server, { domain: 'parley.example' });
    expect(outcome).toMatch(/certificate/);
  });

  it.each(['', ';transport=tcp', ';transport=udp', ';transport=tls'])(
    '3261-26.2.2 sips:%s goes to TLS and nothing else',
    (params) => {
      const request = aRequest('OPTIONS', { uri: `sips:bob@example.com${params}` });
      expect(requestTarget(request)).toEqual({
        protocol: 'TLS',
        address: 'example.com',
        port: 5061,
        domain: 'example.com',
      });
    },
  );
});

async function client(port: number): Promise<TLSSocket> {
  const socket = connect({ port, host: '127.0.0.1', ca: pem('ca.pem') });
  socket.on('error', () => undefined);
  open.push({ close: () => socket.destroy() });
  await new Promise((resolve) => socket.once('secureConnect', resolve));

  return socket;
}
