import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { bindUdpSocket, closeUdpSocket, parseIpv6 } from '../../../media/rtp/udp-socket.ts';

const SIZE = 65_536;
const EF = 46;

describe('UDP sockets whose packets are marked (RFC 2474)', () => {
  it.each(['127.0.0.1', '::1'])('sends and receives on %s', async (address) => {
    const marked = await bindUdpSocket({ address, port: 0, receiveBufferSize: SIZE, dscp: EF });
    const plain = await bindUdpSocket({ address, port: 0, receiveBufferSize: SIZE, dscp: 0 });
    const heard = once(plain, 'message');
    marked.send('x', plain.address().port, address);
    const [, from] = (await heard) as [Buffer, { port: number; address: string }];
    expect([from.address, from.port]).toEqual([address, marked.address().port]);
    const answered = once(marked, 'message');
    plain.send('y', from.port, address);
    expect(String((await answered)[0])).toBe('y');
    await closeUdpSocket(marked);
    await closeUdpSocket(plain);
  });

  it.each([EF, 0])('says of a taken port what node:dgram says, with mark %i', async (dscp) => {
    const address = '127.0.0.1';
    const first = await bindUdpSocket({ address, port: 0, receiveBufferSize: SIZE, dscp });
    const { port } = first.address();
    const second = bindUdpSocket({ address, port, receiveBufferSize: SIZE, dscp });
    await expect(second).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await closeUdpSocket(first);
    // Closing gave the port back, so the descriptor was not kept.
    await closeUdpSocket(await bindUdpSocket({ address, port, receiveBufferSize: SIZE, dscp }));
  });

  it('marks packets as the kernel shows it', async () => {
    const address = '127.0.0.1';
    const socket = await bindUdpSocket({ address, port: 0, receiveBufferSize: SIZE, dscp: EF });
    const { port } = socket.address();
    const inode = new RegExp(`:${port.toString(16).toUpperCase().padStart(4, '0')} .* (\\d+) 2 `);
    expect(readFileSync('/proc/self/net/udp', 'latin1')).toMatch(inode);
    // `ss` prints the type of service that the socket sends with.
    const shown = execFileSync('ss', ['-unap', '-O', '--tos', 'sport', '=', `:${port}`]);
    expect(shown.toString()).toContain(`tos:0x${(EF << 2).toString(16)}`);
    await closeUdpSocket(socket);
  });

  it('writes IPv6 addresses in octets', () => {
    expect(parseIpv6('::1')).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    const full = [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x12, 0xff, 0xfe];
    expect(parseIpv6('2001:db8::12:fffe')).toEqual(full);
    expect(parseIpv6('2001:0db8:0:0:0:0:12:fffe')).toEqual(full);
    expect(parseIpv6('::')).toEqual(Array.from({ length: 16 }, () => 0));
    expect(parseIpv6('fe80::1%eth0')).toBeUndefined();
  });
});
