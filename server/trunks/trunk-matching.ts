/** Whether an address or a number is a trunk's, pure. */
import { BlockList, isIP } from 'node:net';
import type { TrunkSettings } from '../ports.ts';

interface Subnet {
  address: string;
  prefix: number;
  family: 'ipv4' | 'ipv6';
}

/** An address, or address/prefix. */
export function toSubnet(text: string): Subnet | undefined {
  const [address = '', prefixText, ...more] = text.split('/');
  const version = isIP(address);
  if (version === 0 || more.length > 0) return undefined;
  const longest = version === 4 ? 32 : 128;
  const prefix = prefixText === undefined ? longest : Number(prefixText);
  if (!/^[0-9]+$/.test(prefixText ?? '0') || prefix > longest) return undefined;

  return { address, prefix, family: version === 4 ? 'ipv4' : 'ipv6' };
}

export function allows({ allowedAddresses }: TrunkSettings, address: string): boolean {
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
  const list = new BlockList();
  for (const entry of allowedAddresses) {
    const subnet = toSubnet(entry);
    if (subnet !== undefined) list.addSubnet(subnet.address, subnet.prefix, subnet.family);
  }

  return isIP(address) !== 0 && list.check(address, family);
}

/** "+49 (30) 123-45" and "493012345" are one number to those who write it. */
export function plainNumber(text: string): string {
  return text.replaceAll(/[+\s().-]/g, '').toLowerCase();
}
