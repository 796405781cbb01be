/** `struct sockaddr_in`, and addresses as text. */

/** Linux' number, the same on every architecture that Node runs on. */
export const AF_INET = 2;
export const ADDRESS_LENGTH = 16;

const addresses = new Map<string, string>();
const MAX_ADDRESSES = 10_000;

/**
 * One string for an address, whoever has it: two that are the same one are compared without a look at
 * their letters, which lie somewhere else for each.
 */
export function sameString(address: string): string {
  const known = addresses.get(address);
  if (known !== undefined) return known;
  if (addresses.size >= MAX_ADDRESSES) addresses.clear();
  addresses.set(address, address);

  return address;
}

export function writeAddress(into: Uint8Array, address: string, port: number): Uint8Array {
  // The family is in the machine's order, the rest in the network's.
  new Uint16Array(into.buffer, into.byteOffset, 1)[0] = AF_INET;
  into[2] = port >> 8;
  into[3] = port;
  address.split('.').forEach((octet, i) => (into[4 + i] = Number(octet)));

  return into;
}
