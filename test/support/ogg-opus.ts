/** Opus packets in Ogg (RFC 3533, RFC 7845), as ffmpeg reads and writes them. */

const FIRST_PAGE = 2;
const LAST_PAGE = 4;
const HEADER = 27;
/** Samples at 48 kHz of a packet. */
const PACKET = 960;
const SERIAL = 1;

const crcTable = Uint32Array.from({ length: 256 }, (_, octet) => {
  let value = octet << 24;
  for (let bit = 0; bit < 8; bit++) value = value < 0 ? (value << 1) ^ 0x04c11db7 : value << 1;

  return value;
});

/** The packets of audio: without the two of headers. */
export function readOggPackets(file: Buffer): Uint8Array[] {
  const packets: Uint8Array[] = [];
  let parts: Uint8Array[] = [];
  for (let offset = 0; offset + HEADER <= file.length;) {
    const lacing = file.subarray(offset + HEADER, offset + HEADER + file[offset + 26]!);
    offset += HEADER + lacing.length;
    for (const length of lacing) {
      parts.push(file.subarray(offset, offset + length));
      offset += length;
      if (length === 255) continue;
      packets.push(Buffer.concat(parts));
      parts = [];
    }
  }

  return packets.slice(2);
}

/** Packets of 20 ms, one a page. */
export function writeOggPackets(packets: readonly Uint8Array[]): Buffer {
  const head = Buffer.alloc(19);
  head.write('OpusHead', 'latin1');
  head[8] = 1;
  head[9] = 1;
  head.writeUInt32LE(48_000, 12);
  const tags = Buffer.alloc(16);
  tags.write('OpusTags', 'latin1');
  const all = [head, tags, ...packets];

  return Buffer.concat(
    all.map((packet, index) => {
      const flags = (index === 0 ? FIRST_PAGE : 0) | (index === all.length - 1 ? LAST_PAGE : 0);

      return page(packet, index, flags, Math.max(0, index - 1) * PACKET);
    }),
  );
}

function page(packet: Uint8Array, index: number, flags: number, granule: number): Buffer {
  const segments = Math.floor(packet.length / 255) + 1;
  const out = Buffer.alloc(HEADER + segments, 255);
  out.fill(0, 0, HEADER);
  out.write('OggS', 'latin1');
  out[5] = flags;
  out.writeBigUInt64LE(BigInt(granule), 6);
  out.writeUInt32LE(SERIAL, 14);
  out.writeUInt32LE(index, 18);
  out[26] = segments;
  out[HEADER + segments - 1] = packet.length % 255;
  const whole = Buffer.concat([out, packet]);
  whole.writeUInt32LE(crc(whole), 22);

  return whole;
}

function crc(data: Uint8Array): number {
  let value = 0;
  for (const octet of data) value = (value << 8) ^ crcTable[(value >>> 24) ^ octet]!;

  return value >>> 0;
}
