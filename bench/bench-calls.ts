/**
 * The least that a phone must say to be in a call: INVITE, ACK, BYE over UDP for very many phones from one
 * socket. Their audio is `rtp-load`'s.
 */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { audioCodec, findTelephoneEvent } from '../media/index.ts';
import type { LoadCodec, SrtpKey } from './load-tracks.ts';

export interface BenchCall {
  room: string;
  codec: LoadCodec;
  rtpPort: number;
}

interface OpenCall {
  id: string;
  request: string;
  target: string;
  to: string;
  remotePort: number;
}

const HOST = '127.0.0.1';
const SIP_PORT = 5060;
const OWN_PORT = 5190;
/** INVITEs that wait for an answer at a time. */
const AT_A_TIME = 20;
const RETRY_MS = 500;
const TRIES = 10;

/** Over all who dial: no two calls have the same name. */
let dialled = 0;

export class BenchCalls {
  readonly #socket: Socket;
  readonly #key: SrtpKey | undefined;
  readonly #answers = new Map<string, (response: string) => void>();
  readonly #calls: OpenCall[] = [];

  private constructor(socket: Socket, key: SrtpKey | undefined) {
    this.#socket = socket;
    this.#key = key;
    socket.on('message', (data, from) => {
      this.#onMessage(data.toString('latin1'), from.port, from.address);
    });
  }

  static async open(key?: SrtpKey): Promise<BenchCalls> {
    const socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 20 });
    socket.bind(OWN_PORT, HOST);
    await once(socket, 'listening');

    return new BenchCalls(socket, key);
  }

  /** Calls them all; answers where each must send its audio to. */
  async dial(calls: readonly BenchCall[]): Promise<number[]> {
    const ports = new Array<number>(calls.length).fill(0);
    let next = 0;
    const worker = async (): Promise<void> => {
      for (let index = next++; index < calls.length; index = next++) {
        ports[index] = await this.#invite(calls[index]!);
      }
    };
    await Promise.all(Array.from({ length: AT_A_TIME }, worker));

    return ports;
  }

  async hangUp(): Promise<void> {
    const calls = this.#calls.splice(0);
    const worker = async (): Promise<void> => {
      for (let call = calls.pop(); call !== undefined; call = calls.pop()) {
        await this.#request(call.id, 2, 'BYE', call.target, call.to, '');
      }
    };
    await Promise.all(Array.from({ length: AT_A_TIME }, worker));
    this.#socket.close();
  }

  async #invite({ room, codec, rtpPort }: BenchCall): Promise<number> {
    const id = `bench-${process.pid}-${++dialled}`;
    const uri = `sip:${room}@${HOST}:${SIP_PORT}`;
    const to = `<${uri}>`;
    const response = await this.#request(id, 1, 'INVITE', uri, to, this.#offer(codec, rtpPort));
    const remotePort = Number(/^m=audio (\d+)/m.exec(response)?.[1] ?? 0);
    if (!response.startsWith('SIP/2.0 200') || remotePort === 0) {
      throw new Error(`a call was not answered: ${response}`);
    }
    const target = /^Contact: *<([^>]*)>/im.exec(response)?.[1] ?? uri;
    const answeredTo = /^To: *(.*)\r$/im.exec(response)?.[1] ?? to;
    this.#send(this.#message(id, 1, 'ACK', target, answeredTo, ''));
    this.#calls.push({ id, request: uri, target, to: answeredTo, remotePort });

    return remotePort;
  }

  #offer(name: LoadCodec, port: number): string {
    const codec = audioCodec(name);
    const channels = codec.channels > 1 ? `/${codec.channels}` : '';
    // As nearly all phones do: without it the server listens for tones.
    const event = findTelephoneEvent(codec.clockRate);
    const events = event === undefined ? '' : ` ${event.payloadType}`;
    const keys =
      this.#key && Buffer.concat([this.#key.masterKey, this.#key.masterSalt]).toString('base64');

    return [
      ...['v=0', `o=bench 1 1 IN IP4 ${HOST}`, 's=-', `c=IN IP4 ${HOST}`, 't=0 0'],
      `m=audio ${port} ${keys === undefined ? 'RTP/AVP' : 'RTP/SAVP'} ${codec.payloadType}${events}`,
      `a=rtpmap:${codec.payloadType} ${codec.name}/${codec.clockRate}${channels}`,
      ...(event === undefined
        ? []
        : [`a=rtpmap:${event.payloadType} telephone-event/${event.clockRate}`]),
      ...(keys === undefined ? [] : [`a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${keys}`]),
      ...['a=ptime:20', ''],
    ].join('\r\n');
  }

  /** Sent again until a final response comes. */
  async #request(
    id: string,
    cseq: number,
    method: string,
    uri: string,
    to: string,
    body: string,
  ): Promise<string> {
    const text = this.#message(id, cseq, method, uri, to, body);
    const key = `${id} ${cseq} ${method}`;
    const answer = new Promise<string>((resolve) => this.#answers.set(key, resolve));
    for (let tries = 0; tries < TRIES; tries++) {
      this.#send(text);
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<undefined>((resolve) => {
        timer = setTimeout(resolve, RETRY_MS * 2 ** Math.min(tries, 3), undefined);
      });
      const response = await Promise.race([answer, late]);
      clearTimeout(timer);
      if (response !== undefined) {
        this.#answers.delete(key);

        return response;
      }
    }
    throw new Error(`no answer to ${method} ${uri}`);
  }

  #message(
    id: string,
    cseq: number,
    method: string,
    uri: string,
    to: string,
    body: string,
  ): string {
    return [
      `${method} ${uri} SIP/2.0`,
      `Via: SIP/2.0/UDP ${HOST}:${OWN_PORT};branch=z9hG4bK-${id}-${cseq}-${method}`,
      'Max-Forwards: 70',
      `From: <sip:bench@${HOST}:${OWN_PORT}>;tag=${id}`,
      `To: ${to}`,
      `Call-ID: ${id}`,
      `CSeq: ${cseq} ${method}`,
      `Contact: <sip:bench@${HOST}:${OWN_PORT}>`,
      ...(body === '' ? [] : ['Content-Type: application/sdp']),
      `Content-Length: ${Buffer.byteLength(body)}`,
      '',
      body,
    ].join('\r\n');
  }

  #send(text: string): void {
    this.#socket.send(text, SIP_PORT, HOST);
  }

  #onMessage(text: string, port: number, address: string): void {
    const id = /^Call-ID: *(.*)\r$/im.exec(text)?.[1] ?? '';
    const cseq = /^CSeq: *(.*)\r$/im.exec(text)?.[1] ?? '';
    const status = /^SIP\/2\.0 (\d{3})/.exec(text)?.[1];
    if (status === undefined) {
      // Whatever the server asks inside a call is fine with a phone that has nothing to say.
      const headers = text.match(/^(Via|From|To|Call-ID|CSeq):.*\r$/gim) ?? [];
      const lines = ['SIP/2.0 200 OK', ...headers.map((line) => line.trimEnd())];
      this.#socket.send([...lines, 'Content-Length: 0', '', ''].join('\r\n'), port, address);
    } else if (Number(status) >= 200) {
      this.#answers.get(`${id} ${cseq}`)?.(text);
    }
  }
}
