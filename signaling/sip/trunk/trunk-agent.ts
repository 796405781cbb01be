import { TimerSet, type Clock, type Logger } from '../../../base/index.ts';
import type { Trunk, TrunkStatus } from '../../../server/index.ts';
import { DigestClient } from '../auth/index.ts';
import {
  buildRequest,
  isSipUri,
  isSuccess,
  makeSipUri,
  newCallId,
  newTag,
  type SipRequest,
  type SipResponse,
  type SipUri,
} from '../message/index.ts';
import type { RequestSender } from '../dialog/index.ts';
import type { ClientFailure } from '../transaction/index.ts';
import type { Endpoint, SendTarget } from '../transport/index.ts';
import { withCredentials } from '../ua/index.ts';

export interface TrunkAgentOptions {
  readonly sender: Pick<RequestSender, 'request'>;
  readonly localAddressFor: (target: SendTarget) => Endpoint | undefined;
  readonly product: string;
  /** Between two probes. */
  readonly probeMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
  readonly onStatus: (change: Partial<Omit<TrunkStatus, 'since'>>) => void;
}

type Outcome =
  | { readonly response: SipResponse }
  | { readonly failure: ClientFailure; readonly cause: Error | undefined };

const MAX_CAUSE_LENGTH = 200;
const REGISTER_SECONDS = 300;
/** Of its lifetime, after which a registration is refreshed. */
const REFRESH_AT = 0.8;
const MIN_REFRESH_MS = 5_000;
/** RFC 5626 4.5: "the wait time … base-time 30 s … max-time 1800 s", drawn between half and the whole. */
const BACKOFF_FIRST_MS = 30_000;
const BACKOFF_MAX_MS = 1_800_000;
/** One lost probe is no outage. */
const FAILURES_TO_DOWN = 2;
const MAX_CHALLENGES = 3;

/** What we do for one trunk without a call: keep a registration at the provider, ask whether it lives. */
export class TrunkAgent {
  readonly #trunk: Trunk;
  readonly #options: TrunkAgentOptions;
  readonly #timers: TimerSet<'register' | 'probe'>;
  readonly #uri: SipUri;
  readonly #digest: DigestClient | undefined;
  readonly #callId = newCallId();
  #cseq = 0;
  #expires = REGISTER_SECONDS;
  #registerFailures = 0;
  #probeFailures = 0;
  #isUp: boolean | undefined;
  #isRegistered = false;
  #closed = false;

  constructor(trunk: Trunk, options: TrunkAgentOptions) {
    this.#trunk = trunk;
    this.#options = options;
    this.#timers = new TimerSet(options.clock);
    const { host, port, transport, username, password } = trunk;
    this.#uri = makeSipUri({
      host,
      ...(port !== undefined && { port }),
      params: transport === 'udp' ? {} : { transport },
    });
    this.#digest =
      username === undefined || password === undefined
        ? undefined
        : new DigestClient({ username, password });
  }

  start(): void {
    this.#probe();
    if (this.#trunk.register) this.#register();
  }

  /** Takes the registration back, without waiting for the answer. */
  close(): void {
    if (this.#closed) return;
    this.#timers.close();
    if (this.#isRegistered) this.#send(this.#registerRequest(0), () => undefined);
    this.#closed = true;
  }

  #register(): void {
    this.#send(this.#registerRequest(this.#expires), (outcome) => {
      this.#registered(outcome);
    });
  }

  #registered(outcome: Outcome): void {
    const { onStatus } = this.#options;
    if ('response' in outcome && isSuccess(outcome.response.status)) {
      this.#registerFailures = 0;
      this.#isRegistered = true;
      const seconds = grantedSeconds(outcome.response, this.#contactUri()) ?? this.#expires;
      onStatus({ registration: 'registered' });
      this.#after('register', Math.max(MIN_REFRESH_MS, seconds * 1000 * REFRESH_AT), () => {
        this.#register();
      });
      return;
    }
    const tooBrief = 'response' in outcome ? minExpires(outcome.response) : undefined;
    if (tooBrief !== undefined && tooBrief > this.#expires) {
      this.#expires = tooBrief;
      this.#register();
      return;
    }
    this.#isRegistered = false;
    const reason = reasonOf(outcome);
    onStatus({ registration: 'failed', reason });
    this.#options.logger.warn({ reason }, 'the registration at a trunk failed');
    this.#after('register', this.#backoff(outcome), () => {
      this.#register();
    });
  }

  #backoff(outcome: Outcome): number {
    const asked = 'response' in outcome ? retryAfter(outcome.response) : undefined;
    const bound = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** this.#registerFailures);
    this.#registerFailures++;
    const drawn = bound * (0.5 + this.#options.random() / 2);

    return Math.max(drawn, Math.min((asked ?? 0) * 1000, BACKOFF_MAX_MS));
  }

  #probe(): void {
    const request = this.#request('OPTIONS', { callId: newCallId(), cseq: 1, to: this.#uri });
    this.#send(request, (outcome) => {
      this.#probed(outcome);
      this.#after('probe', this.#options.probeMs, () => {
        this.#probe();
      });
    });
  }

  /** Any answer shows that it lives, but for those that say it cannot serve. */
  #probed(outcome: Outcome): void {
    const isAlive = 'response' in outcome && ![408, 503].includes(outcome.response.status);
    this.#probeFailures = isAlive ? 0 : this.#probeFailures + 1;
    const isDown = !isAlive && (this.#isUp !== true || this.#probeFailures >= FAILURES_TO_DOWN);
    if (isAlive) {
      if (this.#isUp !== true) this.#options.logger.info({}, 'a trunk is up');
      this.#isUp = true;
      this.#options.onStatus({ state: 'up' });
    } else if (isDown) {
      const reason = reasonOf(outcome);
      if (this.#isUp !== false) this.#options.logger.warn({ reason }, 'a trunk is down');
      this.#isUp = false;
      this.#options.onStatus({ state: 'down', reason });
    }
  }

  #after(name: 'register' | 'probe', delayMs: number, next: () => void): void {
    this.#timers.start(name, delayMs, next);
  }

  #registerRequest(seconds: number): SipRequest {
    this.#cseq += 1;
    const to = this.#addressOfRecord();

    return this.#request('REGISTER', { callId: this.#callId, cseq: this.#cseq, to, seconds });
  }

  #addressOfRecord(): SipUri {
    const { username, host } = this.#trunk;

    return makeSipUri({ ...(username !== undefined && { user: username }), host });
  }

  #request(
    method: string,
    parts: { callId: string; cseq: number; to: SipUri; seconds?: number },
  ): SipRequest {
    const request = buildRequest({
      method,
      uri: this.#uri,
      from: `<${this.#addressOfRecord().text}>;tag=${newTag()}`,
      to: `<${parts.to.text}>`,
      callId: parts.callId,
      cseq: parts.cseq,
      contact: `<${this.#contactUri().text}>`,
      headers: [
        ['User-Agent', this.#options.product],
        ...(parts.seconds === undefined
          ? []
          : ([['Expires', String(parts.seconds)]] as [string, string][])),
      ],
    });

    return this.#digest === undefined
      ? request
      : withCredentials(request, this.#digest, parts.cseq);
  }

  #contactUri(): SipUri {
    const { username, transport, host, port } = this.#trunk;
    const protocol = transport.toUpperCase() as 'UDP' | 'TCP' | 'TLS';
    const local = this.#options.localAddressFor({ protocol, address: host, port: port ?? 5060 });

    return makeSipUri({
      ...(username !== undefined && { user: username }),
      host: local?.address ?? 'invalid.invalid',
      ...(local !== undefined && { port: local.port }),
      params: transport === 'udp' ? {} : { transport },
    });
  }

  /** With one try more for each challenge that our password may answer. */
  #send(request: SipRequest, done: (outcome: Outcome) => void, challenges = 0): void {
    this.#options.sender.request(request, undefined, {
      onResponse: (response) => {
        if (response.status < 200 || this.#closed) return;
        const isChallenge = response.status === 401 || response.status === 407;
        const canAnswer = isChallenge && challenges < MAX_CHALLENGES;
        if (canAnswer && this.#digest?.challenged(request, response) === true) {
          const sequence = request.cseq.sequence + 1;
          this.#cseq = Math.max(this.#cseq, sequence);
          this.#send(withCredentials(request, this.#digest, sequence), done, challenges + 1);
        } else done({ response });
      },
      onFailure: (failure, cause) => {
        if (!this.#closed) done({ failure, cause });
      },
    });
  }
}

/** "The 200 … contains the expires of each binding": ours is the one with our host and port. */
function grantedSeconds(response: SipResponse, ours: SipUri): number | undefined {
  const mine = response.contacts.find(
    ({ uri }) =>
      isSipUri(uri) && uri.user === ours.user && uri.host === ours.host && uri.port === ours.port,
  );

  return digits(mine?.params.get('expires')) ?? digits(response.headers.get('Expires'));
}

function minExpires(response: SipResponse): number | undefined {
  return response.status === 423 ? digits(response.headers.get('Min-Expires')) : undefined;
}

function retryAfter(response: SipResponse): number | undefined {
  return digits(/^\s*[0-9]+/.exec(response.headers.get('Retry-After') ?? '')?.[0]);
}

function digits(text: string | undefined): number | undefined {
  return text !== undefined && /^\s*[0-9]{1,9}\s*$/.test(text) ? Number(text) : undefined;
}

function reasonOf(outcome: Outcome): string {
  if ('response' in outcome) return `${outcome.response.status} ${outcome.response.reason}`;
  if (outcome.failure === 'timeout') return 'no answer';

  return outcome.cause === undefined
    ? 'not reachable'
    : `not reachable: ${outcome.cause.message.slice(0, MAX_CAUSE_LENGTH)}`;
}
