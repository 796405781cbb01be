import { once } from 'node:events';
import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { connect as connectTcp, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { WebSocket } from 'ws';
import { stopAllChildren } from '../support/child-process.ts';
import { freePort } from '../support/free-ports.ts';
import { projectPath } from '../support/scratch.ts';
import { startServer, type ServerUnderTest } from './server-under-test.ts';

const HOST = '127.0.0.1';
const hasIpv6 = Object.values(networkInterfaces()).some((list) =>
  list?.some(({ address }) => address === '::1'),
);

let parley: ServerUnderTest;
let tlsPort: number;

beforeAll(async () => {
  tlsPort = await freePort();
  parley = await startServer('conformance-transports', {
    TLS_CERT: projectPath('test/fixtures/tls/server.pem'),
    TLS_KEY: projectPath('test/fixtures/tls/server.key'),
    SIP_TLS_PORT: String(tlsPort),
    SIP_HOST: hasIpv6 ? '127.0.0.1,[::1]' : '127.0.0.1',
  });
});

afterAll(async () => {
  await stopAllChildren();
});

function options(transport: string, sentBy = 'probe.invalid', host = HOST): Buffer {
  const text = parley.prober.options(9, transport).bytes.toString();

  return Buffer.from(
    text.replace(`${HOST}:9;`, `${sentBy};rport;`).replaceAll(`sip:${HOST}:`, `sip:${host}:`),
  );
}

async function answer(socket: Socket, bytes: Buffer): Promise<string> {
  socket.write(bytes);
  const [reply] = (await once(socket, 'data')) as [Buffer];

  return reply.toString();
}

describe('the transports of the running server', () => {
  it('TLS', async () => {
    const ca = readFileSync(projectPath('test/fixtures/tls/ca.pem'));
    const socket = connectTls({ host: HOST, port: tlsPort, ca, servername: 'parley.example' });
    await once(socket, 'secureConnect');
    const reply = await answer(socket, options('TLS'));
    expect(reply).toMatch(/^SIP\/2\.0 200 /);
    expect(reply).toMatch(new RegExp(`^Contact: <sips?:.*:${tlsPort};transport=tls>`, 'im'));
    socket.destroy();
  });

  it('WSS at /sip, beside socket.io', async () => {
    const ca = readFileSync(projectPath('test/fixtures/tls/ca.pem'));
    const url = `wss://${HOST}:${parley.server.httpPort}/sip`;
    const socket = new WebSocket(url, 'sip', { ca });
    await once(socket, 'open');
    socket.send(options('WSS').toString());
    const [data, isBinary] = (await once(socket, 'message')) as [Buffer, boolean];
    expect(isBinary).toBe(false);
    expect(data.toString()).toMatch(/^SIP\/2\.0 200 /);
    socket.terminate();
    const path = '/socket.io/?EIO=4&transport=websocket';
    const web = new WebSocket(`wss://${HOST}:${parley.server.httpPort}${path}`, { ca });
    const [greeting] = (await once(web, 'message')) as [Buffer];
    expect(greeting.toString()).toMatch(/^0\{"sid"/);
    web.terminate();
  });

  it('5626-3.5.1 a double CRLF on a stream is answered with one', async () => {
    const socket = connectTcp({ host: HOST, port: parley.server.sipPort });
    await once(socket, 'connect');
    expect(await answer(socket, Buffer.from('\r\n\r\n'))).toBe('\r\n');
    expect(await answer(socket, options('TCP'))).toMatch(/^SIP\/2\.0 200 /);
    socket.destroy();
  });

  it(hasIpv6 ? 'IPv6, by UDP and TCP' : 'IPv6: skipped, this machine has none', async () => {
    if (!hasIpv6) return;
    const port = parley.server.sipPort;
    const udp = createSocket('udp6');
    udp.send(options('UDP', '[::1]', '[::1]'), port, '::1');
    const [reply] = (await once(udp, 'message')) as [Buffer];
    expect(reply.toString()).toMatch(/^SIP\/2\.0 200 /);
    expect(reply.toString()).toContain(`Contact: <sip:[::1]:${port}>`);
    udp.close();
    const socket = connectTcp({ host: '::1', port });
    expect(await answer(socket, options('TCP', '[::1]', '[::1]'))).toMatch(/^SIP\/2\.0 200 /);
    socket.destroy();
  });
});
