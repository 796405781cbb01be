import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Child } from './child-process.ts';
import { letRun, waitUntil } from './wait-until.ts';

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
    const child = new Child({
      name: 'tcpdump',
      command: 'tcpdump',
      // -Z root: the file must be writable where root starts it; -U: nothing stays in a buffer.
      args: ['-i', 'lo', '-n', '-U', '-B', '8192', '-Z', 'root', '-w', file, filter],
      logFile: path.join(folder, 'tcpdump.log'),
    });
    await waitUntil('tcpdump listens', () =>
      child.output.includes('listening on') ? undefined : `saying ${child.output}`,
    );

    return new PacketCapture(child, file);
  }

  async stop(): Promise<CapturedPacket[]> {
    await letRun(300);
    await this.#child.stop();

    return readUdpPackets(readFileSync(this.#file));
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
