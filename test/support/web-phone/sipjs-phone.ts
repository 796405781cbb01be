import { Inviter, SessionState, UserAgent, Web } from 'sip.js';
import type { PagePhone, PagePhoneOptions } from './page-api.ts';

const GATHERING_TIMEOUT = 500;

export class SipJsPhone implements PagePhone {
  readonly #options: PagePhoneOptions;
  readonly #agent: UserAgent;
  #session: Inviter | undefined;

  constructor(options: PagePhoneOptions) {
    this.#options = options;
    const { server, uri } = options.settings;
    this.#agent = new UserAgent({
      uri: UserAgent.makeURI(uri)!,
      transportOptions: { server },
      logBuiltinEnabled: false,
      sessionDescriptionHandlerFactory: Web.defaultSessionDescriptionHandlerFactory(() =>
        Promise.resolve(options.source),
      ),
      sessionDescriptionHandlerFactoryOptions: {
        iceGatheringTimeout: GATHERING_TIMEOUT,
        peerConnectionConfiguration: { iceServers: [], rtcpMuxPolicy: 'require' },
      },
    });
  }

  async start(): Promise<void> {
    await this.#agent.start();
    this.#options.report({ type: 'connected' });
  }

  call(target: string): void {
    const { report } = this.#options;
    const session = new Inviter(this.#agent, UserAgent.makeURI(target)!, this.#description(false));
    this.#session = session;
    session.stateChange.addListener((state) => {
      if (state === SessionState.Established) report({ type: 'established' });
      if (state === SessionState.Terminated) report({ type: 'ended', cause: 'terminated' });
    });
    session.delegate = { onInvite: () => report({ type: 'reinvite' }) };
    void session.invite({
      requestDelegate: {
        onReject: ({ message }) => report({ type: 'failed', cause: String(message.statusCode) }),
      },
    });
  }

  hangUp(): void {
    void this.#session?.bye();
  }

  hold(held: boolean): void {
    void this.#session?.invite(this.#description(held));
  }

  sendKey(key: string): void {
    this.#session?.sessionDescriptionHandler?.sendDtmf(key);
  }

  restartIce(): void {
    void this.#session?.invite({
      sessionDescriptionHandlerOptions: {
        offerOptions: { iceRestart: true },
      } as Web.SessionDescriptionHandlerOptions,
    });
  }

  async stop(): Promise<void> {
    await this.#agent.stop();
  }

  #description(hold: boolean): {
    sessionDescriptionHandlerOptions: Web.SessionDescriptionHandlerOptions;
  } {
    const video = this.#options.settings.colour !== undefined;

    return { sessionDescriptionHandlerOptions: { hold, constraints: { audio: true, video } } };
  }
}
