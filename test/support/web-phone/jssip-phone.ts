import * as JsSIP from 'jssip';
import type { RTCSession } from 'jssip/lib/RTCSession.js';
import type { PagePhone, PagePhoneOptions } from './page-api.ts';

export class JsSipPhone implements PagePhone {
  readonly #options: PagePhoneOptions;
  readonly #agent: JsSIP.UA;
  #session: RTCSession | undefined;

  constructor(options: PagePhoneOptions) {
    this.#options = options;
    const { server, uri } = options.settings;
    this.#agent = new JsSIP.UA({
      sockets: [new JsSIP.WebSocketInterface(server)],
      uri,
      register: false,
    });
  }

  start(): Promise<void> {
    return new Promise((resolve) => {
      this.#agent.on('connected', () => {
        this.#options.report({ type: 'connected' });
        resolve();
      });
      this.#agent.start();
    });
  }

  call(target: string): void {
    const { report, source, settings } = this.#options;
    const session = this.#agent.call(target, {
      mediaStream: source,
      mediaConstraints: { audio: true, video: settings.colour !== undefined },
      pcConfig: { iceServers: [], rtcpMuxPolicy: 'require' },
    });
    this.#session = session;
    session.on('confirmed', () => report({ type: 'established' }));
    session.on('reinvite', () => report({ type: 'reinvite' }));
    session.on('ended', ({ cause }: { cause: string }) => report({ type: 'ended', cause }));
    session.on('failed', ({ cause }: { cause: string }) => report({ type: 'failed', cause }));
  }

  hangUp(): void {
    this.#session?.terminate();
  }

  hold(held: boolean): void {
    if (held) this.#session?.hold();
    else this.#session?.unhold();
  }

  sendKey(key: string): void {
    this.#session?.sendDTMF(key, { transportType: 'RFC2833' as never });
  }

  restartIce(): void {
    this.#session?.renegotiate({ rtcOfferConstraints: { iceRestart: true } });
  }

  async stop(): Promise<void> {
    this.#agent.stop();
  }
}
