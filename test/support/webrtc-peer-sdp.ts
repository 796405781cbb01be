/** What a WebRTC phone says in SDP that never sends a packet: all lines are there, nothing is behind them. */
import { randomBytes } from 'node:crypto';

/** Of one m-line that the peer itself began with. */
interface OwnLine {
  readonly ssrc: number;
  readonly track: string;
}

const AUDIO = [
  'm=audio 9 UDP/TLS/RTP/SAVPF 111 110',
  'a=rtpmap:111 opus/48000/2',
  'a=fmtp:111 minptime=10;useinbandfec=1',
  'a=rtpmap:110 telephone-event/48000',
];
const VIDEO = [
  'm=video 9 UDP/TLS/RTP/SAVPF 96 97',
  'a=rtpmap:96 VP8/90000',
  'a=rtcp-fb:96 transport-cc',
  'a=rtcp-fb:96 ccm fir',
  'a=rtcp-fb:96 nack',
  'a=rtcp-fb:96 nack pli',
  'a=rtpmap:97 rtx/90000',
  'a=fmtp:97 apt=96',
];
const MIRROR: Readonly<Record<string, string>> = { sendonly: 'recvonly', recvonly: 'sendonly' };
/** Attributes of an offer that the answer repeats. */
const REPEATED = /^a=(?:mid|rtpmap|fmtp|rtcp-fb|extmap):/;

export class WebRtcPeerSdp {
  readonly #sessionId = String(randomBytes(5).readUIntBE(0, 5));
  readonly #transport: readonly string[];
  readonly #own: readonly OwnLine[];
  readonly #stream = randomBytes(8).toString('hex');
  #version = 0;

  constructor(withVideo: boolean) {
    const fingerprint = [...randomBytes(32)]
      .map((octet) => octet.toString(16).padStart(2, '0').toUpperCase())
      .join(':');
    this.#transport = [
      'c=IN IP4 127.0.0.1',
      `a=ice-ufrag:${randomBytes(4).toString('hex')}`,
      `a=ice-pwd:${randomBytes(12).toString('hex')}`,
      `a=fingerprint:sha-256 ${fingerprint}`,
      'a=rtcp-mux',
    ];
    this.#own = Array.from({ length: withVideo ? 2 : 1 }, () => ({
      ssrc: randomBytes(4).readUInt32BE() || 1,
      track: randomBytes(8).toString('hex'),
    }));
  }

  offer(): string {
    const lines = [AUDIO, VIDEO].slice(0, this.#own.length);

    return this.#session(
      lines.map((media, index) => [
        media[0]!,
        ...this.#transport,
        'a=setup:actpass',
        `a=mid:${index}`,
        ...media.slice(1),
        'a=sendrecv',
        ...this.#lines(index),
      ]),
    );
  }

  /** Takes all that is offered, or only the first so many m-lines; on hold it hears nothing. */
  answer(offer: string, { most = Infinity, held = false } = {}): string {
    return this.#continue(offer.split(/^(?=m=)/m).slice(1, most + 1), 'active', (text, index) => {
      const direction =
        /^a=(sendrecv|sendonly|recvonly|inactive)\r?$/m.exec(text)?.[1] ?? 'sendrecv';
      const mirrored = MIRROR[direction] ?? direction;
      if (!held || index > 0) return mirrored;

      return mirrored.startsWith('send') ? 'sendonly' : 'inactive';
    });
  }

  /** An offer in the call: all m-lines of the server's last description, its own sending. */
  reoffer(remote: string, held: boolean): string {
    return this.#continue(remote.split(/^(?=m=)/m).slice(1), 'actpass', (_, index) => {
      if (index >= this.#own.length) return 'recvonly';

      return held && index === 0 ? 'sendonly' : 'sendrecv';
    });
  }

  #continue(
    sections: readonly string[],
    setup: string,
    directionOf: (section: string, index: number) => string,
  ): string {
    return this.#session(
      sections.map((text, index) => {
        const [media, ...rest] = text.trim().split('\r\n');
        if (/^m=\S+ 0 /.test(media!)) return [media!, 'c=IN IP4 127.0.0.1'];
        const direction = directionOf(text, index);

        return [
          media!.replace(/ \d+ /, ' 9 '),
          ...this.#transport,
          `a=setup:${setup}`,
          ...rest.filter((line) => REPEATED.test(line)),
          `a=${direction}`,
          ...(direction.startsWith('send') ? this.#lines(index) : []),
        ];
      }),
    );
  }

  #session(sections: readonly (readonly string[])[]): string {
    const mids = sections
      .filter(([media]) => !/^m=\S+ 0 /.test(media!))
      .flatMap((lines) => /^a=mid:(\S+)$/m.exec(lines.join('\n'))?.[1] ?? []);
    this.#version += 1;

    return [
      'v=0',
      `o=- ${this.#sessionId} ${this.#version} IN IP4 127.0.0.1`,
      's=-',
      't=0 0',
      `a=group:BUNDLE ${mids.join(' ')}`,
      ...sections.flat(),
      '',
    ].join('\r\n');
  }

  #lines(index: number): string[] {
    const own = this.#own[index];
    if (own === undefined) return [];

    return [`a=msid:${this.#stream} ${own.track}`, `a=ssrc:${own.ssrc} cname:${this.#stream}`];
  }
}
