import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Child } from './child-process.ts';
import { waitUntil } from './wait-until.ts';

/** Where the end of a capture is marked: nobody listens there. */
const MARK_PORT = 9;

export interface CapturedPacket {
  /** Milliseconds, the kernel's clock. */
  time: number;
  sourcePort: number;
  destinationPort: number;
  payload: Uint8Array;
}

/** tcpdump on loopback: when packets really arrived, whatever the test process was busy with. */
export class PacketCapture {
  readonly #child: Child;
  readonly #file: string;

  private constructor(child: Child, file: string) {
    this.#child = child;
    this.#file = file;
  }

  static async start(folder: string, filter: string): Promise<PacketCapture> {
    const file = path.join(folder, 'capture.pcap');
    const marked = `(${filter}) or (udp and dst port ${MARK_PORT})`;
    const child = new Child({
      name: 'tcpdump',
      command: 'tcpdump',
      // -Z root: the file must be writable where root starts it; -U: nothing stays in a buffer.
      args: ['-i', 'lo', '-n', '-U', '-B', '8192', '-Z', 'root', '-w', file, marked],
      logFile: path.join(folder, 'tcpdump.log'),
    });
    await waitUntil('tcpdump listens', () =>
      child.output.includes('listening on') ? undefined : `saying ${child.output}`,
    );

    return new PacketCapture(child, file);
  }

  /** All that was sent so far: what tcpdump has not read yet when it is stopped would be lost. */
  async stop(): Promise<CapturedPacket[]> {
    const mark = randomBytes(16);
    const socket = createSocket('udp4');
    socket.send(mark, MARK_PORT, '127.0.0.1');
    let packets: CapturedPacket[] = [];
    await waitUntil('tcpdump has written what was sent', () => {
      packets = readUdpPackets(readFileSync(this.#file));

      return packets.some(({ payload }) => mark.equals(payload)) ? undefined : 'not yet';
    });
    socket.close();
    await this.#child.stop();

    return packets.filter(({ destinationPort }) => destinationPort !== MARK_PORT);
  }
}

const PCAP_HEADER = 24;
const RECORD_HEADER = 16;
/** Ethernet framing of the loopback device. */
const LINK_HEADER = 14;

function readUdpPackets(file: Buffer): CapturedPacket[] {
  const packets: CapturedPacket[] = [];
  let offset = PCAP_HEADER;
  while (offset + RECORD_HEADER <= file.length) {
    const length = file.readUInt32LE(offset + 8);
    const time = file.readUInt32LE(offset) * 1000 + file.readUInt32LE(offset + 4) / 1000;
    const ip = file.subarray(offset + RECORD_HEADER + LINK_HEADER, offset + RECORD_HEADER + length);
    offset += RECORD_HEADER + length;
    const ipHeader = ((ip[0] ?? 0) & 0x0f) * 4;
    if (ip.length < ipHeader + 8) continue;
    packets.push({
      time,
      sourcePort: ip.readUInt16BE(ipHeader),
      destinationPort: ip.readUInt16BE(ipHeader + 2),
      payload: ip.subarray(ipHeader + 8),
    });
  }

  return packets;
}
