/** Payloads of H.264 that look right to whoever does not decode them; the last octets say whose they are. */

export const SPS = Uint8Array.of(0x67, 0x42, 0xc0, 0x1f, 1);
export const PPS = Uint8Array.of(0x68, 0xce, 0x04);

/** The first slice of an IDR picture. */
export function idr(tag: number, length = 200): Uint8Array {
  return unit(0x65, tag, length);
}

/** Of any other picture. */
export function slice(tag: number, length = 100): Uint8Array {
  return unit(0x41, tag, length);
}

export function stapA(...units: Uint8Array[]): Uint8Array {
  return Uint8Array.from([
    0x78,
    ...units.flatMap((each) => [each.length >> 8, each.length & 255, ...each]),
  ]);
}

/** The unit in FU-A packets of `size` octets of it each. */
export function fragments(whole: Uint8Array, size: number): Uint8Array[] {
  const indicator = (whole[0]! & 0xe0) | 28;
  const parts: Uint8Array[] = [];
  for (let at = 1; at < whole.length; at += size) {
    const start = at === 1 ? 0x80 : 0;
    const end = at + size >= whole.length ? 0x40 : 0;
    const header = start | end | (whole[0]! & 0x1f);
    parts.push(Uint8Array.from([indicator, header, ...whole.subarray(at, at + size)]));
  }

  return parts;
}

function unit(header: number, tag: number, length: number): Uint8Array {
  const data = new Uint8Array(length).fill(tag);
  data[0] = header;
  data[1] = 0x80 | tag;

  return data;
}
