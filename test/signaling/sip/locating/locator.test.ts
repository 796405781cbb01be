import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { isSipUri, requireUri } from '../../../../signaling/sip/message/index.ts';
import {
  CachingResolver,
  DnsResolver,
  Locator,
  orderNaptr,
  orderSrv,
  type NameResolver,
} from '../../../../signaling/sip/locating/index.ts';
import type { SendTarget, TransportProtocol } from '../../../../signaling/sip/transport/index.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { FakeDns, type DnsRecord } from '../../../support/fake-dns.ts';

const ALL: readonly TransportProtocol[] = ['UDP', 'TCP', 'TLS'];

let dns: FakeDns;
let protocols: Set<TransportProtocol>;

beforeEach(async () => {
  dns = await FakeDns.start();
  protocols = new Set(ALL);
});

afterEach(() => {
  dns.close();
});

/** "UDP 192.0.2.1:5060", in order. */
async function locate(text: string): Promise<string[]> {
  const uri = requireUri(text);
  if (!isSipUri(uri)) throw new Error('not a SIP URI');
  const resolver = new DnsResolver([dns.server]);
  const locator = new Locator({ resolver, protocols, random: () => 0 });

  return shown(await locator.locate(uri));
}

function shown(targets: readonly SendTarget[]): string[] {
  return targets.map(({ protocol, address, port, domain }) =>
    [protocol, `${address}:${port}`, ...(domain === undefined ? [] : [domain])].join(' '),
  );
}

function a(...addresses: string[]): DnsRecord[] {
  return addresses.map((address) => ({ type: 'A', address }));
}

function srv(target: string, port: number, priority = 0, weight = 0): DnsRecord {
  return { type: 'SRV', priority, weight, port, target };
}

function naptr(order: number, service: string, replacement: string): DnsRecord {
  return { type: 'NAPTR', order, preference: 50, flags: 's', service, replacement };
}

/** The example of RFC 3263 4.1. */
function exampleDomain(): void {
  dns
    .add('example.com', ...a('192.0.2.9'))
    .add('example.com', naptr(90, 'SIP+D2T', '_sip._tcp.example.com'))
    .add('example.com', naptr(50, 'SIPS+D2T', '_sips._tcp.example.com'))
    .add('example.com', naptr(100, 'SIP+D2U', '_sip._udp.example.com'))
    .add('_sips._tcp.example.com', srv('server1.example.com', 5061))
    .add('_sip._tcp.example.com', srv('server1.example.com', 5060))
    .add('_sip._udp.example.com', srv('server2.example.com', 5080, 2))
    .add('_sip._udp.example.com', srv('server1.example.com', 5070, 1))
    .add('server1.example.com', ...a('192.0.2.1'))
    .add('server2.example.com', ...a('192.0.2.2', '192.0.2.3'));
}

describe('3263-4.1-a the transport', () => {
  it.each([
    ['sip:192.0.2.1', ['UDP 192.0.2.1:5060']],
    ['sip:[2001:db8::1]:5070', ['UDP 2001:db8::1:5070']],
    ['sips:192.0.2.1', ['TLS 192.0.2.1:5061 192.0.2.1']],
    ['sip:192.0.2.1;transport=tcp', ['TCP 192.0.2.1:5060']],
    ['sip:192.0.2.1;transport=sctp', []],
    ['sips:192.0.2.1;transport=udp', []],
  ])('of %s asks nobody: %j', async (uri, targets) => {
    expect(await locate(uri)).toEqual(targets);
    expect(dns.queries).toEqual([]);
  });

  it('is the most preferred of the NAPTR records that we support', async () => {
    exampleDomain();
    expect(await locate('sip:bob@example.com')).toEqual(['TLS 192.0.2.1:5061 example.com']);
    protocols.delete('TLS');
    expect(await locate('sip:bob@example.com')).toEqual(['TCP 192.0.2.1:5060']);
  });

  it('3261-26.2.2-a of a SIPS URI is TLS or nothing', async () => {
    exampleDomain();
    expect(await locate('sips:bob@example.com')).toEqual(['TLS 192.0.2.1:5061 example.com']);
    protocols.delete('TLS');
    expect(await locate('sips:bob@example.com')).toEqual([]);
  });

  it('without NAPTR is one for which there are SRV records', async () => {
    dns
      .add('example.org', ...a('192.0.2.9'))
      .add('_sip._tcp.example.org', srv('a.example.org', 5066))
      .add('a.example.org', ...a('192.0.2.7'));
    expect(await locate('sip:bob@example.org')).toEqual(['TCP 192.0.2.7:5066']);
  });

  it.each(['NAPTR', 'SRV', 'AAAA'])('goes on where the name server fails for %s', async (type) => {
    dns
      .add('example.org', ...a('192.0.2.9'))
      .add('_sip._udp.example.org', srv('a.example.org', 5066))
      .add('a.example.org', ...a('192.0.2.7'));
    dns.failing.add(type);
    const expected = type === 'SRV' ? 'UDP 192.0.2.9:5060' : 'UDP 192.0.2.7:5066';
    expect(await locate('sip:bob@example.org')).toEqual([expected]);
  });

  it('is none that the domain says it has not: SRV with "." ends the search', async () => {
    dns
      .add('example.org', ...a('192.0.2.9'))
      .add('_sip._udp.example.org', srv('.', 0))
      .add('_sip._tcp.example.org', srv('a.example.org', 5066))
      .add('a.example.org', ...a('192.0.2.7'));
    expect(await locate('sip:bob@example.org')).toEqual(['TCP 192.0.2.7:5066']);
    expect(await locate('sip:bob@example.org;transport=udp')).toEqual([]);
    protocols.delete('TCP');
    expect(await locate('sip:bob@example.org')).toEqual([]);
  });

  it('without SRV is UDP at the address of the name', async () => {
    dns.add('plain.example', ...a('192.0.2.4', '192.0.2.5'));
    dns.add('plain.example', { type: 'AAAA', address: '2001:0db8:0000:0000:0000:0000:0000:0001' });
    expect(await locate('sip:plain.example')).toEqual([
      'UDP 192.0.2.4:5060',
      'UDP 192.0.2.5:5060',
      'UDP 2001:db8::1:5060',
    ]);
  });
});

describe('3263-4.2-a port and address', () => {
  it('with a port asks for addresses alone', async () => {
    exampleDomain();
    expect(await locate('sip:example.com:5090')).toEqual(['UDP 192.0.2.9:5090']);
    expect(await locate('sips:example.com:5090')).toEqual(['TLS 192.0.2.9:5090 example.com']);
    expect(await locate('sip:example.com:5090;transport=tcp')).toEqual(['TCP 192.0.2.9:5090']);
    expect(new Set(dns.queries)).toEqual(new Set(['A example.com', 'AAAA example.com']));
  });

  it('with a transport asks for its SRV records, by priority', async () => {
    exampleDomain();
    expect(await locate('sip:example.com;transport=udp')).toEqual([
      'UDP 192.0.2.1:5070',
      'UDP 192.0.2.2:5080',
      'UDP 192.0.2.3:5080',
    ]);
  });

  it('maddr takes the place of the host', async () => {
    expect(await locate('sip:example.com;maddr=192.0.2.66')).toEqual(['UDP 192.0.2.66:5060']);
  });

  it('gives nothing for a name that is not there, and when DNS fails', async () => {
    expect(await locate('sip:nobody.example')).toEqual([]);
    exampleDomain();
    dns.isBroken = true;
    expect(await locate('sip:example.com')).toEqual([]);
  });

  it('is bounded', async () => {
    dns.add('many.example', ...a(...Array.from({ length: 30 }, (_, i) => `192.0.2.${i + 1}`)));
    expect(await locate('sip:many.example:5060')).toHaveLength(8);
  });
});

describe('3263-5-a the sent-by of a Via', () => {
  it.each([
    [
      'example.com',
      undefined,
      'UDP',
      ['UDP 192.0.2.1:5070', 'UDP 192.0.2.2:5080', 'UDP 192.0.2.3:5080'],
    ],
    ['example.com', 5090, 'UDP', ['UDP 192.0.2.9:5090']],
    ['example.com', undefined, 'TLS', ['TLS 192.0.2.1:5061 example.com']],
    ['192.0.2.4', undefined, 'TCP', ['TCP 192.0.2.4:5060']],
    ['df7jal23ls0d.invalid', undefined, 'WS', []],
  ] as const)('%s, port %s, over %s', async (host, port, protocol, expected) => {
    exampleDomain();
    const resolver = new DnsResolver([dns.server]);
    const locator = new Locator({ resolver, protocols, random: () => 0 });
    expect(shown(await locator.locateSentBy({ host, port }, protocol))).toEqual(expected);
  });
});

describe('3263-4.2-a priority and weight as RFC 2782 has them', () => {
  const record = (name: string, priority: number, weight: number) => {
    return { name, priority, weight, port: 5060 };
  };

  it('draws in proportion to the weights', () => {
    const records = [record('a', 1, 1), record('b', 1, 3), record('c', 0, 0)];
    const firsts = new Map<string, number>();
    for (let i = 0; i < 1_000; i++) {
      const [first, second] = orderSrv(records, () => ((i * 7919) % 1_000) / 1_000);
      expect(first?.name).toBe('c');
      firsts.set(second!.name, (firsts.get(second!.name) ?? 0) + 1);
    }
    expect(firsts.get('b')! / firsts.get('a')!).toBeCloseTo(1.5, 0);
    expect(firsts.get('b')).toBeGreaterThan(firsts.get('a')!);
  });

  it('takes "." for no service', () => {
    expect(orderSrv([record('.', 0, 0)], () => 0)).toEqual([]);
  });

  it('passes over NAPTR records of other kinds', () => {
    const base = { order: 1, preference: 1, regexp: '', replacement: 'x', flags: 's' };
    const records = [
      { ...base, service: 'E2U+sip', flags: 'u', regexp: '!^.*$!sip:a@b!' },
      { ...base, service: 'SIP+D2S' },
      { ...base, service: 'sip+d2u' },
    ];
    expect(orderNaptr(records, new Set(ALL), false)).toEqual([{ protocol: 'UDP', srvName: 'x' }]);
  });
});

describe('CachingResolver', () => {
  it('asks once for a while, a shorter one where there was nothing or a failure', async () => {
    const clock = new FakeClock();
    const asked: string[] = [];
    const inner: NameResolver = {
      naptr: () => Promise.resolve([]),
      srv: (name) => {
        asked.push(name);
        if (name === 'broken') return Promise.reject(new Error('no server'));

        return Promise.resolve(
          name === 'none' ? [] : [{ name: 'x', port: 1, priority: 0, weight: 0 }],
        );
      },
      addresses: () => Promise.resolve([]),
    };
    const resolver = new CachingResolver(inner, clock);
    const askAll = async (): Promise<string[]> => {
      asked.length = 0;
      for (const name of ['some', 'none', 'broken']) {
        await Promise.all([resolver.srv(name).catch(() => []), resolver.srv(name).catch(() => [])]);
      }

      return [...asked];
    };
    expect(await askAll()).toEqual(['some', 'none', 'broken']);
    expect(await askAll()).toEqual([]);
    clock.advance(3_000);
    expect(await askAll()).toEqual(['broken']);
    clock.advance(12_000);
    expect(await askAll()).toEqual(['none', 'broken']);
    clock.advance(45_000);
    expect(await askAll()).toEqual(['some', 'none', 'broken']);
  });
});
