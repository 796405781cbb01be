import { describe, expect, it } from '@jest/globals';
import type { TransportProtocol } from '../../../../signaling/sip/transport/index.ts';
import { contactOf } from '../../../../signaling/sip/ua/contact.ts';

function contact(protocol: TransportProtocol, isSips: boolean): string {
  const target = { protocol, address: '192.0.2.9', port: 40_000 };
  const local = () => ({ address: '192.0.2.1', port: 5060 });

  return contactOf(local, 'room', target, false, isSips);
}

describe('our Contact names the transport that it was asked by', () => {
  it.each([
    ['UDP', '<sip:room@192.0.2.1:5060>'],
    ['TCP', '<sip:room@192.0.2.1:5060;transport=tcp>'],
    ['TLS', '<sip:room@192.0.2.1:5060;transport=tls>'],
  ] as const)('%s', (protocol, expected) => {
    expect(contact(protocol, false)).toBe(expected);
  });

  it.each(['WS', 'WSS'] as const)('7118-5.1-a "ws" for %s, in both schemes', (protocol) => {
    expect(contact(protocol, false)).toBe('<sip:room@192.0.2.1:5060;transport=ws>');
    expect(contact(protocol, true)).toBe('<sips:room@192.0.2.1:5060;transport=ws>');
  });

  it('3261-26.2.2-a a SIPS URI says no transport, as its scheme does', () => {
    expect(contact('TLS', true)).toBe('<sips:room@192.0.2.1:5060>');
  });
});
