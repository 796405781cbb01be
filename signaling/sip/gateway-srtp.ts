/** Whose calls are encrypted: policy of account, trunk and server, and how safe the signalling is. */
import type { Logger } from '../../base/index.ts';
import type { AccountBook, SrtpPolicy, SrtpSettings, TrunkBook } from '../../server/index.ts';
import {
  DEFAULT_AUDIO_CAPABILITIES,
  type AudioCapabilities,
  type SdpSession,
  type SrtpMode,
} from '../sdp/index.ts';
import type { Admission } from './gateway-admission.ts';
import { isSipUri, type Uri } from './message/index.ts';
import type { TransportProtocol } from './transport/index.ts';
import type { IncomingCall } from './ua/index.ts';

export interface SrtpRulesOptions {
  readonly settings: SrtpSettings;
  readonly accounts: Pick<AccountBook, 'find'>;
  readonly trunks: Pick<TrunkBook, 'list'>;
  readonly isOurHost: (host: string) => boolean;
  readonly logger: Logger;
}

export class SrtpRules {
  readonly #options: SrtpRulesOptions;

  constructor(options: SrtpRulesOptions) {
    this.#options = options;
  }

  /** What may be agreed on with whoever calls. */
  async ofCaller(
    { request, flow, offer }: Pick<IncomingCall, 'request' | 'flow' | 'offer'>,
    admission: Admission,
  ): Promise<AudioCapabilities> {
    const { protocol } = flow;
    const policy = await this.#callerPolicy(request.from.uri, admission);
    const isSafe = isProtected(protocol);
    const mode = srtpMode(policy, isSafe, this.#options.settings.withoutTls);
    // "SHOULD NOT be used … unless [the signalling] is secure" (RFC 4568 8.3): at least somebody knows.
    if (!isSafe && mode !== 'off' && hasKeys(offer)) {
      const { logger } = this.#options;
      const { callId } = request;
      if (mode === 'impossible') logger.warn({ callId }, 'keys that came without TLS were refused');
      else logger.warn({ callId, protocol }, 'keys of a call came without TLS');
    }

    return { ...DEFAULT_AUDIO_CAPABILITIES, srtp: mode };
  }

  /** What is offered to an account, or to anybody. */
  async ofAccount(username: string | undefined, isSafe: boolean): Promise<AudioCapabilities> {
    const account =
      username === undefined ? undefined : await this.#options.accounts.find(username);

    return this.#outgoing(account?.srtp, isSafe);
  }

  ofTrunk(name: string, isSafe: boolean): AudioCapabilities {
    return this.#outgoing(this.#trunkPolicy(name), isSafe);
  }

  #outgoing(own: SrtpPolicy | undefined, isSafe: boolean): AudioCapabilities {
    const { policy, withoutTls } = this.#options.settings;

    return { ...DEFAULT_AUDIO_CAPABILITIES, srtp: srtpMode(own ?? policy, isSafe, withoutTls) };
  }

  /** Somebody who has proved nothing may not talk his way out of encryption. */
  async #callerPolicy(uri: Uri, admission: Admission): Promise<SrtpPolicy> {
    const { settings, accounts, isOurHost } = this.#options;
    if (admission.kind === 'trunk') return this.#trunkPolicy(admission.trunk) ?? settings.policy;
    const isProven = admission.kind === 'account';
    const claimed = isSipUri(uri) && isOurHost(uri.host) ? uri.user : undefined;
    const username = isProven ? admission.username : claimed;
    const own = username === undefined ? undefined : (await accounts.find(username))?.srtp;
    if (!isProven && settings.policy === 'required') return 'required';

    return own ?? settings.policy;
  }

  #trunkPolicy(name: string): SrtpPolicy | undefined {
    return this.#options.trunks.list().find((trunk) => trunk.name === name)?.srtp;
  }
}

export function isProtected(protocol: TransportProtocol): boolean {
  return protocol === 'TLS' || protocol === 'WSS';
}

/** Whether a request to this URI goes over TLS. */
export function goesOverTls(uri: Uri): boolean {
  if (!isSipUri(uri)) return false;
  const transport = uri.params.get('transport')?.toLowerCase();

  return uri.scheme === 'sips' || transport === 'tls' || transport === 'wss';
}

export function srtpMode(
  policy: SrtpPolicy,
  isSafe: boolean,
  withoutTls: SrtpSettings['withoutTls'],
): SrtpMode {
  if (policy === 'off') return 'off';
  const takesKeys = isSafe || withoutTls === 'accept';
  if (policy === 'required') return takesKeys ? 'required' : 'impossible';
  if (!takesKeys) return 'off';

  // Without TLS an offer of ours would show keys to whoever listens and gain nothing.
  return isSafe ? 'offer' : 'accept';
}

function hasKeys(session: SdpSession | undefined): boolean {
  return session?.media.some(({ attributes }) => attributes.some(isCrypto)) ?? false;
}

function isCrypto({ name }: { readonly name: string }): boolean {
  return name === 'crypto';
}
