import { once } from 'node:events';
import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { connect as connectTcp, createServer, type AddressInfo, type Socket } from 'node:net';
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

/** Of a phone that listens on `port`. */
function tcpInvite(room: string, port: number): string {
  const body = [
    ...['v=0', `o=- 1 1 IN IP4 ${HOST}`, 's=-', `c=IN IP4 ${HOST}`, 't=0 0'],
    ...['m=audio 9 RTP/AVP 0', 'a=inactive', ''],
  ].join('\r\n');

  return [
    `INVITE sip:${room}@${HOST} SIP/2.0`,
    `Via: SIP/2.0/TCP ${HOST}:${port};branch=z9hG4bKa${port}`,
    'Max-Forwards: 70',
    `From: <sip:phone@${HOST}>;tag=t`,
    `To: <sip:${room}@${HOST}>`,
    `Call-ID: gone-${port}`,
    'CSeq: 1 INVITE',
    `Contact: <sip:phone@${HOST}:${port};transport=tcp>`,
    'Content-Type: application/sdp',
    `Content-Length: ${body.length}`,
    '',
    body,
  ].join('\r\n');
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

  it('3261-12.2.1.1-a the BYE of a call whose connection was closed meanwhile goes to its Contact', async () => {
    const { server } = parley;
    await server.api('POST', '/rooms', { number: '700' });
    const home = createServer().listen(0, HOST);
    await once(home, 'listening');
    const { port } = home.address() as AddressInfo;
    const call = connectTcp({ host: HOST, port: server.sipPort });
    const invite = tcpInvite('700', port);
    let reply = await answer(call, Buffer.from(invite));
    while (!/^SIP\/2\.0 200 /m.test(reply)) reply += String((await once(call, 'data'))[0]);
    const to = /^To: .*;tag=.*$/im.exec(reply.slice(reply.lastIndexOf('SIP/2.0 200 ')))![0];
    call.write(
      invite
        .replace(/^INVITE/, 'ACK')
        .replace(/^To: .*$/m, to)
        .replace('CSeq: 1 INVITE', 'CSeq: 1 ACK')
        .replace('z9hG4bKa', 'z9hG4bKb')
        .replace(/Content-Type[^]*$/, 'Content-Length: 0\r\n\r\n'),
    );
    // What is written before the end is read before it.
    call.end();
    await once(call, 'close');
    const visit = once(home, 'connection') as Promise<[Socket]>;
    await server.api('DELETE', '/rooms/700');
    const [socket] = await visit;
    const [bytes] = (await once(socket, 'data')) as [Buffer];
    const bye = bytes.toString();
    expect(bye).toMatch(new RegExp(`^BYE sip:phone@${HOST}:${port};transport=tcp SIP/2.0`));
    const headers = /^(?:Via|From|To|Call-ID|CSeq): .*\r\n/gim;
    socket.write(`SIP/2.0 200 OK\r\n${bye.match(headers)!.join('')}Content-Length: 0\r\n\r\n`);
    socket.end();
    home.close();
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
