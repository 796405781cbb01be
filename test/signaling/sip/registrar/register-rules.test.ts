import { describe, expect, it } from '@jest/globals';
import type { Binding } from '../../../../server/index.ts';
import { buildRequest, type SipRequest } from '../../../../signaling/sip/message/index.ts';
import {
  applyRegister,
  DEFAULT_REGISTER_LIMITS,
  PROCESS_ID,
  routeOfBinding,
  type RegisterOutcome,
} from '../../../../signaling/sip/registrar/index.ts';

const NOW = 1_000_000;
const FLOW: Binding['flow'] = {
  protocol: 'TCP',
  remote: { address: '192.0.2.1', port: 40_000 },
  local: { address: '192.0.2.9', port: 5060 },
  connectionId: 'tcp-1',
  process: PROCESS_ID,
};

interface Parts {
  contacts?: string[];
  headers?: [string, string][];
  callId?: string;
  cseq?: number;
  vias?: number;
}

function register({ contacts = [], headers = [], callId = 'c', cseq = 1, vias = 1 }: Parts) {
  return buildRequest({
    method: 'REGISTER',
    uri: 'sip:example.com',
    from: '<sip:bob@example.com>;tag=1',
    to: '<sip:bob@example.com>',
    callId,
    cseq,
    headers: [
      ...Array.from({ length: vias }, (_, i): [string, string] => [
        'Via',
        `SIP/2.0/UDP 192.0.2.${i};branch=z9hG4bK${i}`,
      ]),
      ...contacts.map((contact): [string, string] => ['Contact', contact]),
      ...headers,
    ],
  });
}

function apply(request: SipRequest, current: Binding[] = [], now = NOW): RegisterOutcome {
  return applyRegister(request, { current, flow: FLOW, now, limits: DEFAULT_REGISTER_LIMITS });
}

function bindings(parts: Parts, current: Binding[] = [], now = NOW): Binding[] {
  const outcome = apply(register(parts), current, now);
  if ('status' in outcome) throw new Error(`refused with ${outcome.status}`);

  return outcome.bindings ?? current;
}

function status(parts: Parts, current: Binding[] = []): number | undefined {
  const outcome = apply(register(parts), current);

  return 'status' in outcome ? outcome.status : undefined;
}

const ONE = '<sip:bob@192.0.2.1:5070>';
const TWO = '<sip:bob@192.0.2.2:5070>';
const seconds = (all: Binding[]): number[] => all.map(({ expiresAt }) => (expiresAt - NOW) / 1000);

describe('3261-10.3-2 the wildcard', () => {
  const both = bindings({ contacts: [ONE, TWO] });

  it('removes all bindings, with Expires: 0', () => {
    expect(bindings({ contacts: ['*'], headers: [['Expires', '0']], cseq: 2 }, both)).toEqual([]);
  });

  it.each<[string, Parts]>([
    ['without Expires', { contacts: ['*'] }],
    ['with another Expires', { contacts: ['*'], headers: [['Expires', '1']] }],
    ['beside a Contact', { contacts: ['*', ONE], headers: [['Expires', '0']] }],
  ])('%s is 400', (_, parts) => {
    expect(status({ ...parts, cseq: 2 }, both)).toBe(400);
  });

  it('3261-10.3-4 in a request that is out of order removes nothing', () => {
    expect(status({ contacts: ['*'], headers: [['Expires', '0']], cseq: 1 }, both)).toBe(500);
  });
});

describe('3261-10.3-3 expiry', () => {
  it('is the Contact’s, else the header’s, else 3600; bounded', () => {
    const headers: [string, string][] = [['Expires', '600']];
    expect(seconds(bindings({ contacts: [`${ONE};expires=120`, TWO], headers }))).toEqual([
      120, 600,
    ]);
    expect(seconds(bindings({ contacts: [ONE] }))).toEqual([3600]);
    expect(seconds(bindings({ contacts: [`${ONE};expires=4294967295`] }))).toEqual([7200]);
    expect(seconds(bindings({ contacts: [`${ONE};expires=soon`] }))).toEqual([3600]);
  });

  it('too short is 423 with Min-Expires, zero removes', () => {
    const outcome = apply(register({ contacts: [`${ONE};expires=59`] }));
    expect(outcome).toMatchObject({ status: 423, headers: [['Min-Expires', '60']] });
    const both = bindings({ contacts: [ONE, TWO] });
    const left = bindings({ contacts: [`${ONE};expires=0`], cseq: 2 }, both);
    expect(left.map(({ contact }) => contact)).toEqual(['sip:bob@192.0.2.2:5070']);
  });
});

describe('3261-10.3-4 and 5 order', () => {
  const current = bindings({ contacts: [ONE], cseq: 5 });

  it('the same Call-ID needs a higher CSeq; another Call-ID does not', () => {
    expect(status({ contacts: [ONE], cseq: 5 }, current)).toBe(500);
    expect(status({ contacts: [ONE], cseq: 4 }, current)).toBe(500);
    expect(status({ contacts: [ONE], cseq: 6 }, current)).toBeUndefined();
    expect(status({ contacts: [ONE], cseq: 1, callId: 'other' }, current)).toBeUndefined();
  });

  it('3261-10.3-5 one bad Contact leaves all as they were', () => {
    expect(status({ contacts: [TWO, ONE], cseq: 5 }, current)).toBe(500);
    expect(status({ contacts: [TWO, 'mailto:bob@example.com'], cseq: 6 }, current)).toBe(400);
    expect(status({ contacts: [TWO, `${ONE};expires=5`], cseq: 6 }, current)).toBe(423);
  });

  it('a Contact that comes twice in one request is one binding', () => {
    expect(bindings({ contacts: [ONE, `${ONE};expires=90`] })).toHaveLength(1);
  });
});

describe('3261-10.3-6 and 7', () => {
  it('without Contact nothing changes', () => {
    expect(apply(register({}))).toMatchObject({ bindings: undefined });
  });

  it('URIs are compared by 19.1.4, port and user with case included', () => {
    const current = bindings({ contacts: [ONE] });
    const next = (contact: string): number =>
      bindings({ contacts: [contact], cseq: 2 }, current).length;
    expect(next('<SIP:bob@192.0.2.1:5070>')).toBe(1);
    expect(next('<sip:bob@192.0.2.1:5071>')).toBe(2);
    expect(next('<sip:Bob@192.0.2.1:5070>')).toBe(2);
    expect(next('<sip:bob@192.0.2.1:5070;transport=tcp>')).toBe(2);
  });

  it('3261-10.3-7 keeps header parameters apart from URI parameters, and escaped headers', () => {
    const [first] = bindings({ contacts: ['<sip:bob@192.0.2.1;unknown=1>;audio;q=0.5'] });
    expect(first).toMatchObject({
      contact: 'sip:bob@192.0.2.1;unknown=1',
      params: [
        ['audio', null],
        ['q', '0.5'],
      ],
    });
    const [escaped] = bindings({ contacts: ['<sip:user@example.com?Route=%3Csip:x%3E>'] });
    expect(escaped!.contact).toBe('sip:user@example.com?Route=%3Csip:x%3E');
  });

  it('has a bound', () => {
    const many = Array.from({ length: 21 }, (_, i) => `<sip:bob@192.0.2.1:${5000 + i}>`);
    expect(status({ contacts: many })).toBe(403);
  });
});

describe('5626-6-a outbound', () => {
  const instance = '+sip.instance="<urn:uuid:1>"';
  const headers: [string, string][] = [['Supported', 'path, outbound']];

  it('instance and reg-id are the key: a new address replaces the old one', () => {
    const first = bindings({ contacts: [`${ONE};${instance};reg-id=1`], headers });
    expect(first[0]).toMatchObject({ instance: '<urn:uuid:1>', regId: 1 });
    const moved = { contacts: [`${TWO};${instance};reg-id=1`], headers, callId: 'd' };
    expect(bindings(moved, first).map(({ contact }) => contact)).toEqual([
      'sip:bob@192.0.2.2:5070',
    ]);
    const second = { contacts: [`${TWO};${instance};reg-id=2`], headers, callId: 'd' };
    expect(bindings(second, first)).toHaveLength(2);
  });

  it('is used only by those who say that they support it', () => {
    const plain = bindings({ contacts: [`${ONE};${instance};reg-id=1`] });
    expect(plain[0]).not.toHaveProperty('regId');
  });

  it('through a first hop without ob: 439', () => {
    const parts = { contacts: [`${ONE};${instance};reg-id=1`], vias: 2 };
    const path = (value: string): [string, string][] => [...headers, ['Path', value]];
    expect(status({ ...parts, headers })).toBe(439);
    expect(status({ ...parts, headers: path('<sip:edge;lr>') })).toBe(439);
    expect(status({ ...parts, headers: path('<sip:edge;lr;ob>') })).toBeUndefined();
  });
});

describe('5626-5.3-a the way to a binding', () => {
  const instance = '+sip.instance="<urn:uuid:1>"';
  const outbound = bindings({
    contacts: [`${ONE};${instance};reg-id=1`],
    headers: [['Supported', 'outbound']],
  })[0]!;
  const plain = bindings({ contacts: [ONE] })[0]!;
  const before = { ...FLOW, process: 'an earlier run' };

  it('is its flow, while that lives', () => {
    expect(routeOfBinding(plain)!.flow).toMatchObject({ connectionId: 'tcp-1' });
  });

  it('is its Contact when the connection is of an earlier run, but not for an outbound binding', () => {
    expect(routeOfBinding({ ...plain, flow: before })).toMatchObject({ flow: undefined });
    expect(routeOfBinding({ ...outbound, flow: before })).toBeUndefined();
  });

  it.each(['WS', 'WSS'] as const)(
    '7118-5.3-a of a %s client is its flow or none: its host is nowhere (*.invalid)',
    (protocol) => {
      const [binding] = bindings({ contacts: ['<sip:web@df7jal23ls0d.invalid;transport=ws>'] });
      const flow = { ...FLOW, protocol };
      expect(routeOfBinding({ ...binding!, flow })).toMatchObject({
        uri: { host: 'df7jal23ls0d.invalid' },
        flow: { protocol, connectionId: FLOW.connectionId },
      });
      expect(routeOfBinding({ ...binding!, flow: { ...flow, process: 'before' } })).toBeUndefined();
    },
  );

  it('is its Path where there is one', () => {
    const route = routeOfBinding({ ...plain, path: ['<sip:edge.example.com;lr>'] });
    expect(route).toMatchObject({ flow: undefined });
    expect(route!.routes.map(({ uri }) => uri.text)).toEqual(['sip:edge.example.com;lr']);
  });
});
