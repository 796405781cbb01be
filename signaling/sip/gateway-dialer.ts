/** Calls out of rooms: who is meant, which ways lead there, and the seat that waits meanwhile. */
import { AppError, toError, type ParticipantId } from '../../base/index.ts';
import {
  DialOut,
  type AccountBook,
  type CallOriginator,
  type DialTarget,
  type OriginateRequest,
  type Referral,
  type RoomManager,
  type DialOutLimits,
  type DialOutOptions,
  type TrunkBook,
} from '../../server/index.ts';
import { DigestClient } from './auth/index.ts';
import type { PhoneCallOptions } from './gateway.ts';
import { isPage, offersTo } from './gateway-dial-offers.ts';
import { DialedPhone, type Destination } from './gateway-dialed-phone.ts';
import { goesOverTls, isProtected } from './gateway-srtp.ts';
import {
  isSipUri,
  makeSipUri,
  parseUri,
  requireUri,
  type NameAddr,
  type Uri,
} from './message/index.ts';
import { routeOfBinding } from './registrar/index.ts';
import type { KeySender } from './focus/index.ts';
import type { OutgoingCall, UserAgent } from './ua/index.ts';

export interface PhoneDialerOptions extends PhoneCallOptions {
  readonly rooms: Pick<RoomManager, 'join' | 'createDoor'>;
  readonly accounts: Pick<AccountBook, 'find' | 'bindings'>;
  readonly trunks: Pick<TrunkBook, 'open' | 'pick' | 'ofHost'>;
  readonly isOurHost: (host: string) => boolean;
  /** Presses what a call is to be answered by. */
  readonly keys: Pick<KeySender, 'pressIn'>;
  readonly domain: string;
  readonly port: number;
}

const PHONE_NUMBER = /^\+?[0-9][0-9().*#-]{0,63}$/;
const MAX_URI = 512;

export interface CallsOutOptions extends PhoneDialerOptions {
  readonly trunks: PhoneDialerOptions['trunks'] & Pick<TrunkBook, 'takeCall'>;
  readonly dialOutLimits: DialOutLimits;
  readonly counters: PhoneDialerOptions['counters'] & { dialOut: DialOutOptions['onOutcome'] };
}

/** The one way to call out of rooms, for the API and for members' REFERs alike, with its limits. */
export function createDialOut(
  options: CallsOutOptions,
  userAgent: Pick<UserAgent, 'call'>,
): DialOut {
  const { trunks, dialOutLimits: limits, counters, clock, logger } = options;
  const originator = new PhoneDialer(options, userAgent);

  return new DialOut({ originator, trunks, limits, onOutcome: counters.dialOut, clock, logger });
}

export class PhoneDialer implements CallOriginator {
  readonly #options: PhoneDialerOptions;
  readonly #userAgent: Pick<UserAgent, 'call'>;

  constructor(options: PhoneDialerOptions, userAgent: Pick<UserAgent, 'call'>) {
    this.#options = options;
    this.#userAgent = userAgent;
  }

  async resolve(text: string, trunk?: string): Promise<DialTarget> {
    const { accounts, trunks, domain, port, isOurHost } = this.#options;
    const uri = text.length > MAX_URI ? undefined : readUri(text.trim(), domain);
    if (uri === undefined) throw new AppError('BAD_REQUEST', 'not a SIP URI, tel URI or number');
    if (trunk !== undefined) {
      return { kind: 'trunk', trunk: trunks.open(trunk).name, number: numberOf(uri) };
    }
    if (uri.scheme === 'tel') {
      const picked = trunks.pick();
      if (picked === undefined) throw new AppError('TRUNK_NOT_FOUND', 'no trunk takes the call');

      return { kind: 'trunk', trunk: picked, number: numberOf(uri) };
    }
    if (!isSipUri(uri)) throw new AppError('BAD_REQUEST', 'not a SIP URI');
    // Another port of our own address is another server (or a phone on the same machine).
    const isDomain = uri.host === domain.toLowerCase() && uri.port === undefined;
    if (isDomain || (isOurHost(uri.host) && (uri.port ?? 5060) === port)) {
      return this.#ourUser(uri.user, text, accounts);
    }
    const ofTrunk = trunks.ofHost(uri.host, uri.port);
    if (ofTrunk !== undefined && uri.user !== undefined) {
      return { kind: 'trunk', trunk: ofTrunk, number: uri.user };
    }

    return { kind: 'uri', uri: uri.text };
  }

  async call(request: OriginateRequest): Promise<{ participantId: ParticipantId }> {
    const { room, target } = request;
    const destinations = await this.#secured(target, await this.#destinations(target));
    if (destinations.length === 0) {
      throw new AppError('NOT_REGISTERED', 'the account has no phone registered');
    }
    const account = target.kind === 'account' ? target.username : undefined;
    const phone = new DialedPhone(
      { ...this.#options, account },
      request.onProgress,
      this.#afterAnswer(request),
    );
    const participant = await this.#options.rooms.join(
      {
        room,
        name: request.name ?? nameOf(target),
        kind: 'phone',
        address: destinations[0]!.to.uri.text,
        // Who may dial out may let in: PINs are for those who dial in.
        role: 'guest',
      },
      phone,
    );
    const offered = await offersTo(destinations, participant, this.#options);
    const from = this.#from(room, target);
    // A provider's Contact names its customer, no conference.
    const isFocus = isSipUri(from.uri) && from.uri.user === room;
    const headers = referralHeaders(request.referral);
    phone.ring(participant, offered, ({ to, routes, flow, credentials }, parts) =>
      this.#userAgent.call({ to, routes, flow, credentials, ...parts, from, headers, isFocus }),
    );

    return { participantId: participant.id };
  }

  #afterAnswer({ digits, onKeys }: OriginateRequest): (call: OutgoingCall) => void {
    return (call) => {
      if (digits === undefined) return;
      try {
        this.#options.keys.pressIn(call, digits, onKeys);
      } catch (error) {
        this.#options.logger.info({ err: toError(error) }, 'a callee takes no keys');
        onKeys?.({ state: 'cut-off' });
      }
    };
  }

  async #ourUser(
    user: string | undefined,
    text: string,
    accounts: Pick<AccountBook, 'find'>,
  ): Promise<DialTarget> {
    const account = user === undefined ? undefined : await accounts.find(user);
    if (account !== undefined) {
      const { username, name } = account;

      return { kind: 'account', username, ...(name !== undefined && { name }) };
    }
    const isNumber =
      user !== undefined && PHONE_NUMBER.test(user) && PHONE_NUMBER.test(text.trim());
    const trunk = isNumber ? this.#options.trunks.pick() : undefined;
    if (trunk !== undefined && user !== undefined) return { kind: 'trunk', trunk, number: user };
    throw new AppError('ACCOUNT_NOT_FOUND', `no account ${user ?? '(none)'}`);
  }

  async #destinations(target: DialTarget): Promise<Destination[]> {
    if (target.kind === 'uri') return [{ to: toNameAddr(requireUri(target.uri)) }];
    if (target.kind === 'trunk') return [this.#trunkDestination(target.trunk, target.number)];
    const bindings = await this.#options.accounts.bindings(target.username);

    return bindings.flatMap((binding) => {
      const route = routeOfBinding(binding);
      if (route === undefined) return [];

      const hasVideo = binding.params.some(
        ([name, value]) => name.toLowerCase() === 'video' && value?.toUpperCase() !== 'FALSE',
      );

      return [{ to: toNameAddr(route.uri), routes: route.routes, flow: route.flow, hasVideo }];
    });
  }

  /** Each with what it is offered; those that may not be called without encryption are left out. */
  async #secured(target: DialTarget, destinations: Destination[]): Promise<Destination[]> {
    const { srtp } = this.#options;
    if (srtp === undefined) return destinations;
    const secured: Destination[] = [];
    for (const destination of destinations) {
      const { flow, to } = destination;
      // Its audio is encrypted whatever is wanted (RFC 8827 6.5).
      if (isPage(destination)) {
        secured.push(destination);
        continue;
      }
      const isSafe = flow === undefined ? goesOverTls(to.uri) : isProtected(flow.protocol);
      const username = target.kind === 'account' ? target.username : undefined;
      const capabilities =
        target.kind === 'trunk'
          ? srtp.ofTrunk(target.trunk, isSafe)
          : await srtp.ofAccount(username, isSafe);
      if (capabilities.srtp !== 'impossible') secured.push({ ...destination, capabilities });
    }
    if (secured.length === 0 && destinations.length > 0) {
      throw new AppError('BAD_REQUEST', 'encryption is required, and no way there has TLS');
    }

    return secured;
  }

  #trunkDestination(name: string, number: string): Destination {
    const { host, port, transport, username, password, video } = this.#options.trunks.open(name);
    const uri = makeSipUri({
      user: number,
      host,
      ...(port !== undefined && { port }),
      params: transport === 'udp' ? {} : { transport },
    });
    const credentials =
      username === undefined || password === undefined
        ? undefined
        : new DigestClient({ username, password });

    return { to: toNameAddr(uri), credentials, isTrunk: true, hasVideo: video === true };
  }

  /** Dialling back leads into the room; a provider knows its customer by the user part. */
  #from(room: string, target: DialTarget): NameAddr {
    const { domain, trunks } = this.#options;
    const trunk = target.kind === 'trunk' ? trunks.open(target.trunk) : undefined;
    const uri =
      trunk?.username === undefined
        ? makeSipUri({ user: room, host: domain })
        : makeSipUri({ user: trunk.username, host: trunk.host });

    return { ...toNameAddr(uri), displayName: `Room ${room}` };
  }
}

/** A URI, `user@host`, a number or the name of an account. */
function readUri(text: string, domain: string): Uri | undefined {
  if (/^(sips?|tel):/i.test(text)) return withoutHeaders(parseUri(text));
  if (text.includes('@')) return withoutHeaders(parseUri(`sip:${text}`));

  return /^[A-Za-z0-9._+*#()-]{1,64}$/.test(text)
    ? makeSipUri({ user: text, host: domain })
    : undefined;
}

/** "?Subject=…" would let the API's client write into our messages. */
function withoutHeaders(uri: Uri | undefined): Uri | undefined {
  return uri !== undefined && isSipUri(uri) && uri.headers !== undefined ? undefined : uri;
}

function numberOf(uri: Uri): string {
  const number = isSipUri(uri) ? uri.user : uri.scheme === 'tel' ? uri.number : undefined;
  if (number === undefined) throw new AppError('BAD_REQUEST', 'no number to call');

  return uri.scheme === 'tel' ? number.replaceAll(/[().-]/g, '') : number;
}

function nameOf(target: DialTarget): string {
  switch (target.kind) {
    case 'account':
      return target.name ?? target.username;
    case 'trunk':
      return target.number;
    case 'uri': {
      const uri = requireUri(target.uri);

      return (isSipUri(uri) ? uri.user : undefined) ?? '';
    }
  }
}

function referralHeaders({ by, replaces }: Referral = {}): [string, string][] {
  return [
    ...(by === undefined ? [] : [['Referred-By', by] as [string, string]]),
    ...(replaces === undefined ? [] : [['Replaces', replaces] as [string, string]]),
  ];
}

function toNameAddr(uri: Uri): NameAddr {
  return { displayName: undefined, uri, params: new Map<string, string | undefined>() };
}
