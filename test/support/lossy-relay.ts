import { createSocket, type Socket } from 'node:dgram';
import { RtpPacketView } from '../../media/rtp/index.ts';

const ADDRESS = '127.0.0.1';

export interface LossyRelayOptions {
  /** Where the phone calls; the four ports after it are for its media, and for the server's. */
  port: number;
  serverPort: number;
  seed: number;
  /** Of what the phone sends, from this packet on. */
  from: number;
  /** Share that is lost. */
  loss: number;
  /** Milliseconds: each packet comes later by 0 … jitter, so packets overtake each other. */
  jitter: number;
}

interface Place {
  port: number;
  address: string;
}

/**
 * A bad network between one phone and the server: passes SIP on, with its own ports in the SDP of both, and
 * so has their media in its hands. What becomes of a packet is the same in every run.
 */
export class LossyRelay {
  /** Packets of the phone's audio, and those of them that were lost. */
  seen = 0;
  lost = 0;
  /** When the first came, milliseconds since the epoch. */
  firstAt = 0;
  readonly #options: LossyRelayOptions;
  readonly #sockets: Socket[] = [];
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #view = new RtpPacketView();
  #phone: Place | undefined;
  /** Where the media of both go, as they wrote it. */
  #phoneMedia: number | undefined;
  #serverMedia: number | undefined;
  #state: number;

  private constructor(options: LossyRelayOptions) {
    this.#options = options;
    this.#state = options.seed;
  }

  static async open(options: LossyRelayOptions): Promise<LossyRelay> {
    const relay = new LossyRelay(options);
    const { port } = options;
    const sip = await relay.#bind(port);
    const [toPhone, toPhoneRtcp] = [await relay.#bind(port + 1), await relay.#bind(port + 2)];
    const [toServer, toServerRtcp] = [await relay.#bind(port + 3), await relay.#bind(port + 4)];
    sip.on('message', (data, from) => {
      relay.#onSip(sip, data, from);
    });
    const pass = (socket: Socket, to: Socket, media: () => number | undefined, step: number) => {
      socket.on('message', (data) => {
        const target = media();
        if (target !== undefined) to.send(data, target + step, ADDRESS);
      });
    };
    pass(toServer, toPhone, () => relay.#phoneMedia, 0);
    pass(toServerRtcp, toPhoneRtcp, () => relay.#phoneMedia, 1);
    pass(toPhoneRtcp, toServerRtcp, () => relay.#serverMedia, 1);
    toPhone.on('message', (data) => {
      relay.#onAudio(toServer, data);
    });

    return relay;
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    await Promise.all(
      this.#sockets.map(
        (socket) =>
          new Promise<void>((resolve) =>
            socket.close(() => {
              resolve();
            }),
          ),
      ),
    );
  }

  #onSip(sip: Socket, data: Buffer, from: Place): void {
    const { port, serverPort } = this.#options;
    const text = data.toString('latin1');
    const media = /^m=audio (\d+)/m.exec(text)?.[1];
    if (from.port === serverPort) {
      if (media !== undefined) this.#serverMedia = Number(media);
      if (this.#phone !== undefined) sip.send(withMedia(text, port + 1), this.#phone.port, ADDRESS);
    } else {
      if (media !== undefined) this.#phoneMedia = Number(media);
      this.#phone = from;
      // RFC 3581: the answer comes back this way.
      const asked = text.replace(/^(Via: [^\r]*branch=)/m, (via) =>
        via.replace(/;branch/, ';rport;branch'),
      );
      sip.send(withMedia(asked, port + 3), serverPort, ADDRESS);
    }
  }

  #onAudio(toServer: Socket, data: Buffer): void {
    const target = this.#serverMedia;
    if (target === undefined || !this.#view.parse(data)) return;
    const { from, loss, jitter } = this.#options;
    if (this.seen === 0) this.firstAt = Date.now();
    const bad = this.seen++ >= from;
    const [isLost, delay] = [this.#random() < loss, this.#random() * jitter];
    if (bad && isLost) {
      this.lost++;
    } else if (bad) {
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        toServer.send(data, target, ADDRESS);
      }, delay);
      this.#timers.add(timer);
    } else {
      toServer.send(data, target, ADDRESS);
    }
  }

  /** 0 … 1. */
  #random(): number {
    this.#state = (this.#state * 16_807) % 2_147_483_647;

    return this.#state / 2_147_483_647;
  }

  async #bind(port: number): Promise<Socket> {
    const socket = createSocket('udp4');
    this.#sockets.push(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind(port, ADDRESS, resolve);
    });

    return socket;
  }
}

/** All ports have five digits, so the length of the body stays. */
function withMedia(text: string, port: number): Buffer {
  return Buffer.from(text.replace(/^m=audio \d{5}/m, `m=audio ${port}`), 'latin1');
}
