import { createHash } from 'node:crypto';
import { AppError, TypedEmitter } from '../../base/index.ts';
import type { Clock, Logger } from '../../base/index.ts';
import type { DigestAlgorithm, SrtpPolicy } from '../config.ts';
import { toDisplayName } from '../display-name.ts';
import type { AccountBindings, AccountSettings, Binding, KeyedStore } from '../ports.ts';
import { DecoyLists } from './decoy-lists.ts';
import type { SecretBox } from './secret-box.ts';

const DECOYS_KEPT_MS = 60_000;

export interface CreateAccountRequest {
  username: string;
  password: string;
  name?: string;
  digest?: DigestAlgorithm[];
  srtp?: SrtpPolicy;
}

/** `null` takes a value away. */
export interface UpdateAccountRequest {
  password?: string;
  name?: string | null;
  digest?: DigestAlgorithm[] | null;
  srtp?: SrtpPolicy | null;
}

export interface RegistrationView {
  contact: string;
  transport: string;
  /** Where the REGISTER came from. */
  source: string;
  userAgent?: string;
  /** ISO 8601. */
  registeredAt: string;
  expiresAt: string;
}

export interface AccountView {
  username: string;
  name: string;
  digest?: DigestAlgorithm[];
  srtp?: SrtpPolicy;
  createdAt: string;
  /** The server's SIP_DOMAIN or key changed since the password was set: it has to be set again. */
  needsPassword: boolean;
  registrations: RegistrationView[];
}

export interface AccountBookOptions {
  store: KeyedStore<string, AccountSettings>;
  bindings: KeyedStore<string, AccountBindings>;
  box: SecretBox;
  /** SIP_DOMAIN: part of what is hashed. */
  realm: string;
  clock: Clock;
  logger: Logger;
}

/** What is sealed. */
interface Secret {
  realm: string;
  ha1: Record<DigestAlgorithm, string>;
}

/** Who may register and call. Passwords come in and are never given out, in no form but `ha1`. */
export class AccountBook {
  readonly events = new TypedEmitter<{ passwordChanged: [string]; removed: [string] }>();
  readonly #options: AccountBookOptions;
  #decoys: { readonly readAt: number; readonly lists: DecoyLists } | undefined;

  constructor(options: AccountBookOptions) {
    this.#options = options;
  }

  get realm(): string {
    return this.#options.realm;
  }

  async create(request: CreateAccountRequest): Promise<AccountView> {
    const { username, password, digest, srtp } = request;
    if ((await this.find(username)) !== undefined) {
      throw new AppError('ACCOUNT_EXISTS', `account ${username} exists`);
    }
    const account: AccountSettings = {
      username,
      createdAt: this.#options.clock.wallTime(),
      secret: this.#seal(username, password),
      ...(request.name !== undefined && { name: toDisplayName(request.name, username) }),
      ...(digest !== undefined && digest.length > 0 && { digest }),
      ...(srtp !== undefined && { srtp }),
    };
    await this.#options.store.save(account);

    return this.#view(account);
  }

  async list(): Promise<AccountView[]> {
    const accounts = await this.#options.store.list();
    const sorted = accounts.sort((a, b) => a.username.localeCompare(b.username));

    return Promise.all(sorted.map((account) => this.#view(account)));
  }

  find(username: string): Promise<AccountSettings | undefined> {
    return this.#options.store.find(username);
  }

  /** As the API shows it; AppError ACCOUNT_NOT_FOUND. */
  async show(username: string): Promise<AccountView> {
    return this.#view(await this.#require(username));
  }

  async update(username: string, request: UpdateAccountRequest): Promise<AccountView> {
    const { name, digest, srtp, ...kept } = await this.#require(username);
    const newName = request.name === undefined ? name : (request.name ?? undefined);
    const newDigest = request.digest === undefined ? digest : (request.digest ?? undefined);
    const newSrtp = request.srtp === undefined ? srtp : (request.srtp ?? undefined);
    const account: AccountSettings = {
      ...kept,
      ...(newSrtp !== undefined && { srtp: newSrtp }),
      ...(newName !== undefined && { name: toDisplayName(newName, username) }),
      ...(newDigest !== undefined && newDigest.length > 0 && { digest: newDigest }),
    };
    if (request.password !== undefined) account.secret = this.#seal(username, request.password);
    await this.#options.store.save(account);
    if (request.password !== undefined) this.events.emit('passwordChanged', username);

    return this.#view(account);
  }

  /** Forgets the account and its registrations. */
  async remove(username: string): Promise<void> {
    await this.#require(username);
    await this.#options.store.remove(username);
    await this.#options.bindings.remove(username);
    this.events.emit('removed', username);
  }

  /** H(A1) of RFC 7616 in hex; undefined for an unknown user, or a secret that cannot be used here. */
  async ha1(username: string, algorithm: string): Promise<string | undefined> {
    const account = await this.find(username);
    const secret = account && this.#open(account);

    return secret?.ha1[algorithm as DigestAlgorithm];
  }

  /** The account's own list of challenges; for a name that nobody has, one that an account could have. */
  async algorithms(username: string): Promise<readonly DigestAlgorithm[] | undefined> {
    const account = await this.find(username);
    if (account !== undefined) return account.digest;
    const decoys = await this.#decoyLists();

    return decoys.pick(this.#options.box.share(username, 'challenges'));
  }

  /** Registrations that have not expired, the newest first. */
  async bindings(username: string): Promise<Binding[]> {
    const entry = await this.#options.bindings.find(username);
    const now = this.#options.clock.wallTime();

    return (entry?.bindings ?? [])
      .filter(({ expiresAt }) => expiresAt > now)
      .sort((a, b) => b.registeredAt - a.registeredAt);
  }

  /** All bindings of an account at once: the change is whole or not at all (RFC 3261 10.3). */
  async saveBindings(username: string, bindings: Binding[]): Promise<void> {
    if (bindings.length === 0) await this.#options.bindings.remove(username);
    else await this.#options.bindings.save({ username, bindings });
  }

  /** Read again now and then only: strangers ask for many names. */
  async #decoyLists(): Promise<DecoyLists> {
    const now = this.#options.clock.now();
    if (this.#decoys === undefined || now - this.#decoys.readAt > DECOYS_KEPT_MS) {
      const accounts = await this.#options.store.list();
      this.#decoys = { readAt: now, lists: new DecoyLists(accounts.map(({ digest }) => digest)) };
    }

    return this.#decoys.lists;
  }

  async #require(username: string): Promise<AccountSettings> {
    const account = await this.find(username);
    if (account === undefined) throw new AppError('ACCOUNT_NOT_FOUND', `no account ${username}`);

    return account;
  }

  #seal(username: string, password: string): string {
    const { realm, box } = this.#options;
    const text = `${username}:${realm}:${password}`;
    const hash = (name: string): string => createHash(name).update(text).digest('hex');
    const secret: Secret = { realm, ha1: { MD5: hash('md5'), 'SHA-256': hash('sha256') } };

    return box.seal(JSON.stringify(secret), `account ${username}`);
  }

  #open({ username, secret }: AccountSettings): Secret | undefined {
    const text = this.#options.box.open(secret, `account ${username}`);
    const opened = text === undefined ? undefined : (JSON.parse(text) as Secret);
    if (opened?.realm === this.#options.realm) return opened;
    const { logger, realm } = this.#options;
    logger.warn({ username, realm }, 'the password of an account has to be set again');

    return undefined;
  }

  async #view(account: AccountSettings): Promise<AccountView> {
    const { username, name, digest, srtp, createdAt } = account;
    const bindings = await this.bindings(username);

    return {
      username,
      name: name ?? username,
      createdAt: new Date(createdAt).toISOString(),
      needsPassword: this.#open(account) === undefined,
      registrations: bindings.map(registrationView),
      ...(digest !== undefined && { digest }),
      ...(srtp !== undefined && { srtp }),
    };
  }
}

function registrationView(binding: Binding): RegistrationView {
  const { contact, userAgent, registeredAt, expiresAt, flow } = binding;
  const { address, port } = flow.remote;

  return {
    contact,
    transport: flow.protocol.toLowerCase(),
    source: `${address.includes(':') ? `[${address}]` : address}:${port}`,
    registeredAt: new Date(registeredAt).toISOString(),
    expiresAt: new Date(expiresAt).toISOString(),
    ...(userAgent !== undefined && { userAgent }),
  };
}
