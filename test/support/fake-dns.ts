/** A name server of a test's own on loopback, with the records that it is given. */
import { createSocket, type Socket } from 'node:dgram';

export type DnsRecord =
  | { readonly type: 'A' | 'AAAA'; readonly address: string }
  | {
      readonly type: 'SRV';
      readonly priority: number;
      readonly weight: number;
      readonly port: number;
      readonly target: string;
    }
  | {
      readonly type: 'NAPTR';
      readonly order: number;
      readonly preference: number;
      readonly flags: string;
      readonly service: string;
      readonly replacement: string;
    };

const TYPES = { A: 1, AAAA: 28, SRV: 33, NAPTR: 35 } as const;
const NO_ERROR = 0x8180;
const NAME_ERROR = 0x8183;
const SERVER_FAILURE = 0x8182;
const HEADER_BYTES = 12;

export class FakeDns {
  /** "SRV _sip._udp.example.com", in the order asked. */
  readonly queries: string[] = [];
  /** Answers nothing but failures. */
  isBroken = false;
  /** Kinds of records that it fails for. */
  readonly failing = new Set<string>();
  readonly #records = new Map<string, DnsRecord[]>();
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('message', (query, from) => {
      socket.send(this.#answer(query), from.port, from.address);
    });
  }

  static async start(): Promise<FakeDns> {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => {
      socket.bind(0, '127.0.0.1', resolve);
    });

    return new FakeDns(socket);
  }

  get server(): string {
    return `127.0.0.1:${this.#socket.address().port}`;
  }

  add(name: string, ...records: DnsRecord[]): this {
    this.#records.set(name, [...(this.#records.get(name) ?? []), ...records]);

    return this;
  }

  close(): void {
    this.#socket.close();
  }

  #answer(query: Buffer): Buffer {
    const [name, end] = readName(query, HEADER_BYTES);
    const code = query.readUInt16BE(end);
    const type = Object.entries(TYPES).find(([, value]) => value === code)?.[0] ?? String(code);
    this.queries.push(`${type} ${name}`);
    const known = this.#records.get(name.toLowerCase());
    const isBroken = this.isBroken || this.failing.has(type);
    const records = isBroken ? [] : (known ?? []).filter((record) => record.type === type);
    const header = Buffer.alloc(HEADER_BYTES);
    query.copy(header, 0, 0, 2);
    const flags = known === undefined ? NAME_ERROR : NO_ERROR;
    header.writeUInt16BE(isBroken ? SERVER_FAILURE : flags, 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(records.length, 6);
    const question = query.subarray(HEADER_BYTES, end + 4);

    return Buffer.concat([header, question, ...records.map(writeRecord)]);
  }
}

function readName(bytes: Buffer, start: number): [name: string, end: number] {
  const labels: string[] = [];
  let at = start;
  for (let length = bytes[at] ?? 0; length > 0; length = bytes[at] ?? 0) {
    labels.push(bytes.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }

  return [labels.join('.'), at + 1];
}

function writeRecord(record: DnsRecord): Buffer {
  const data = recordData(record);
  // The name is that of the question; class IN; 60 s to live.
  const head = Buffer.from([0xc0, HEADER_BYTES, 0, TYPES[record.type], 0, 1, 0, 0, 0, 60, 0, 0]);
  head.writeUInt16BE(data.length, 10);

  return Buffer.concat([head, data]);
}

function recordData(record: DnsRecord): Buffer {
  switch (record.type) {
    case 'A':
      return Buffer.from(record.address.split('.').map(Number));
    case 'AAAA':
      return Buffer.from(record.address.replaceAll(':', ''), 'hex');
    case 'SRV': {
      const { priority, weight, port, target } = record;

      return Buffer.concat([words(priority, weight, port), writeName(target)]);
    }
    case 'NAPTR': {
      const { order, preference, flags, service, replacement } = record;
      const texts = [flags, service, ''].map((text) => Buffer.from(`\0${text}`, 'latin1'));
      for (const text of texts) text[0] = text.length - 1;

      return Buffer.concat([words(order, preference), ...texts, writeName(replacement)]);
    }
  }
}

function words(...values: number[]): Buffer {
  const bytes = Buffer.alloc(2 * values.length);
  for (const [index, value] of values.entries()) bytes.writeUInt16BE(value, 2 * index);

  return bytes;
}

function writeName(name: string): Buffer {
  const labels = name.split('.').filter((label) => label !== '');
  const parts = labels.map((label) =>
    Buffer.concat([Buffer.from([label.length]), Buffer.from(label)]),
  );

  return Buffer.concat([...parts, Buffer.from([0])]);
}
