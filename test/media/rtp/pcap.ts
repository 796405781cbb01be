import { existsSync, readFileSync } from 'node:fs';

const ETHERNET = 14;
const LINUX_COOKED = 16;

/** UDP payloads of a classic pcap file in order, with their times in ms; undefined: no such file. */
export function readPcap(path: string): { at: number; data: Uint8Array }[] | undefined {
  if (!existsSync(path)) return undefined;
  const file = readFileSync(path);
  const little = file.readUInt32LE(0) === 0xa1b2c3d4;
  const read32 = (offset: number) =>
    little ? file.readUInt32LE(offset) : file.readUInt32BE(offset);
  const link = read32(20) === 113 ? LINUX_COOKED : ETHERNET;
  const packets: { at: number; data: Uint8Array }[] = [];
  for (let offset = 24; offset + 16 <= file.length; offset += 16 + read32(offset + 8)) {
    const at = read32(offset) * 1000 + read32(offset + 4) / 1000;
    const ip = offset + 16 + link;
    const udp = ip + 4 * (file[ip]! & 0x0f);
    packets.push({ at, data: file.subarray(udp + 8, udp + file.readUInt16BE(udp + 4)) });
  }

  return packets;
}
