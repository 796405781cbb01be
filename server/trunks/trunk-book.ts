import { createHash } from 'node:crypto';
import { AppError, TypedEmitter, toError } from '../../base/index.ts';
import type { Clock, Logger, RoomNumber } from '../../base/index.ts';
import type { SecretBox } from '../accounts/index.ts';
import type { KeyedStore, TrunkSettings, TrunkStatus } from '../ports.ts';
import { allows, plainNumber, toSubnet } from './trunk-matching.ts';

/** What the API takes; `null` takes a value away, and what is absent stays. */
export interface TrunkRequest {
  host?: string;
  port?: number | null;
  transport?: TrunkSettings['transport'];
  username?: string | null;
  password?: string | null;
  register?: boolean;
  allowedAddresses?: string[];
  didRoutes?: TrunkSettings['didRoutes'];
  maxCalls?: number | null;
  srtp?: TrunkSettings['srtp'] | null;
  video?: boolean;
}

export interface TrunkView extends Omit<TrunkSettings, 'secret' | 'createdAt'> {
  createdAt: string;
  passwordSet: boolean;
  status: TrunkStatus;
  /** Calls out now. */
  calls: number;
}

/** A trunk with its password, for those who talk to the provider. */
export interface Trunk extends Omit<TrunkSettings, 'secret'> {
  password?: string;
}

export interface TrunkBookOptions {
  store: KeyedStore<string, TrunkSettings>;
  box: SecretBox;
  clock: Clock;
  logger: Logger;
}

export interface TrunkBookEvents {
  /** Added or changed. */
  changed: [Trunk];
  removed: [string];
}

/** The providers and PBXs that calls come from and go to. */
export class TrunkBook {
  readonly events = new TypedEmitter<TrunkBookEvents>();
  readonly #options: TrunkBookOptions;
  readonly #trunks = new Map<string, TrunkSettings>();
  readonly #statuses = new Map<string, TrunkStatus>();
  readonly #calls = new Map<string, number>();

  constructor(options: TrunkBookOptions) {
    this.#options = options;
    this.events.handleListenerErrors((event, error) => {
      options.logger.error({ err: toError(error), event }, 'a listener of the trunks failed');
    });
  }

  /** Brings back what is stored: at the start, and when Redis was away. */
  async load(): Promise<void> {
    for (const trunk of await this.#options.store.list()) {
      const known = this.#trunks.get(trunk.name);
      if (known !== undefined && JSON.stringify(known) === JSON.stringify(trunk)) continue;
      this.#trunks.set(trunk.name, trunk);
      this.events.emit('changed', this.#opened(trunk));
    }
  }

  async create(name: string, request: TrunkRequest): Promise<TrunkView> {
    if (this.#trunks.has(name)) throw new AppError('TRUNK_EXISTS', `trunk ${name} exists`);

    return this.#put(this.#merge(name, request));
  }

  async update(name: string, request: TrunkRequest): Promise<TrunkView> {
    return this.#put(this.#merge(name, request, this.#require(name)));
  }

  async remove(name: string): Promise<void> {
    this.#require(name);
    this.#trunks.delete(name);
    this.#statuses.delete(name);
    await this.#options.store.remove(name);
    this.events.emit('removed', name);
  }

  list(): TrunkView[] {
    const names = [...this.#trunks.keys()].sort();

    return names.map((name) => this.show(name));
  }

  show(name: string): TrunkView {
    const { secret, createdAt, ...shown } = this.#require(name);

    return {
      ...shown,
      createdAt: new Date(createdAt).toISOString(),
      passwordSet: secret !== undefined,
      status: this.status(name),
      calls: this.#calls.get(name) ?? 0,
    };
  }

  /** With its password: not for the API. AppError TRUNK_NOT_FOUND. */
  open(name: string): Trunk {
    return this.#opened(this.#require(name));
  }

  status(name: string): TrunkStatus {
    const registers = this.#trunks.get(name)?.register === true;

    return (
      this.#statuses.get(name) ?? {
        state: 'unknown',
        registration: registers ? 'registering' : 'off',
      }
    );
  }

  setStatus(name: string, change: Partial<Omit<TrunkStatus, 'since'>>): void {
    if (!this.#trunks.has(name)) return;
    const { state, since: before, registration } = this.status(name);
    const isNew = change.state !== undefined && change.state !== state;
    const since = isNew ? new Date(this.#options.clock.wallTime()).toISOString() : before;
    this.#statuses.set(name, {
      state,
      registration,
      ...change,
      ...(since !== undefined && { since }),
    });
  }

  /** The trunk that calls go out by when none is named: the first by name that is not known to be down. */
  pick(): string | undefined {
    return [...this.#trunks.keys()].sort().find((name) => this.status(name).state !== 'down');
  }

  /** The trunk whose far end has this host and port. */
  ofHost(host: string, port: number | undefined): string | undefined {
    for (const trunk of this.#trunks.values()) {
      const same = trunk.host.toLowerCase() === host.toLowerCase();
      if (same && (trunk.port ?? defaultPort(trunk)) === (port ?? defaultPort(trunk))) {
        return trunk.name;
      }
    }

    return undefined;
  }

  /** Whose calls come from this address; one that routes the number goes before one that does not. */
  ofAddress(address: string, numbers: readonly string[]): string | undefined {
    const all = [...this.#trunks.values()].filter((trunk) => allows(trunk, address));
    const routed = all.find(({ name }) => this.routeOf(name, numbers) !== undefined);

    return (routed ?? all[0])?.name;
  }

  /** The trunk that owns one of the numbers and proves itself by digest. */
  ofDid(numbers: readonly string[]): string | undefined {
    for (const { name, username, secret } of this.#trunks.values()) {
      const hasDigest = username !== undefined && secret !== undefined;
      if (hasDigest && this.routeOf(name, numbers) !== undefined) return name;
    }

    return undefined;
  }

  routeOf(name: string, numbers: readonly string[]): RoomNumber | undefined {
    const routes = this.#trunks.get(name)?.didRoutes ?? [];
    for (const number of numbers) {
      const route = routes.find(({ did }) => plainNumber(did) === plainNumber(number));
      if (route !== undefined) return route.room;
    }

    return undefined;
  }

  /** Those that may prove to be this trunk. */
  usernames(name: string): string[] {
    const { username } = this.#trunks.get(name) ?? {};

    return username === undefined ? [] : [username];
  }

  /** H(A1) for a trunk that calls us. */
  ha1(username: string, realm: string, algorithm: string): Promise<string | undefined> {
    const settings = [...this.#trunks.values()].find((trunk) => trunk.username === username);
    const password = settings && this.#opened(settings).password;
    const hash = { MD5: 'md5', 'SHA-256': 'sha256' }[algorithm];
    if (password === undefined || hash === undefined) return Promise.resolve(undefined);
    const text = `${username}:${realm}:${password}`;

    return Promise.resolve(createHash(hash).update(text).digest('hex'));
  }

  /** Takes a place for a call out; RATE_LIMITED when the trunk has none left. Returns how to give it back. */
  takeCall(name: string): () => void {
    const calls = this.#calls.get(name) ?? 0;
    if (calls >= (this.#require(name).maxCalls ?? Infinity)) {
      throw new AppError('RATE_LIMITED', `trunk ${name} has no free line`);
    }
    this.#calls.set(name, calls + 1);
    let given = false;

    return () => {
      if (given) return;
      given = true;
      const left = (this.#calls.get(name) ?? 1) - 1;
      if (left > 0) this.#calls.set(name, left);
      else this.#calls.delete(name);
    };
  }

  #require(name: string): TrunkSettings {
    const trunk = this.#trunks.get(name);
    if (trunk === undefined) throw new AppError('TRUNK_NOT_FOUND', `no trunk ${name}`);

    return trunk;
  }

  async #put(trunk: TrunkSettings): Promise<TrunkView> {
    this.#trunks.set(trunk.name, trunk);
    this.#statuses.delete(trunk.name);
    await this.#options.store.save(trunk);
    this.events.emit('changed', this.#opened(trunk));

    return this.show(trunk.name);
  }

  #merge(name: string, request: TrunkRequest, old?: TrunkSettings): TrunkSettings {
    const { clock, box } = this.#options;
    const host = request.host ?? old?.host;
    if (host === undefined) throw new AppError('BAD_REQUEST', 'a trunk needs a host');
    const pick = <T>(given: T | null | undefined, before: T | undefined): T | undefined =>
      given === undefined ? before : (given ?? undefined);
    const port = pick(request.port, old?.port);
    const username = pick(request.username, old?.username);
    const maxCalls = pick(request.maxCalls, old?.maxCalls);
    const srtp = pick(request.srtp, old?.srtp);
    const sealed =
      typeof request.password === 'string'
        ? box.seal(request.password, contextOf(name))
        : undefined;
    const secret = request.password === null ? undefined : (sealed ?? old?.secret);
    const trunk: TrunkSettings = {
      name,
      host,
      transport: request.transport ?? old?.transport ?? 'udp',
      register: request.register ?? old?.register ?? false,
      allowedAddresses: request.allowedAddresses ?? old?.allowedAddresses ?? [],
      didRoutes: request.didRoutes ?? old?.didRoutes ?? [],
      createdAt: old?.createdAt ?? clock.wallTime(),
      ...(port !== undefined && { port }),
      ...(username !== undefined && { username }),
      ...(secret !== undefined && { secret }),
      ...(maxCalls !== undefined && { maxCalls }),
      ...(srtp !== undefined && { srtp }),
      ...((request.video ?? old?.video) === true && { video: true }),
    };
    check(trunk);

    return trunk;
  }

  #opened({ secret, ...trunk }: TrunkSettings): Trunk {
    const password =
      secret === undefined ? undefined : this.#options.box.open(secret, contextOf(trunk.name));
    if (secret !== undefined && password === undefined) {
      const { logger } = this.#options;
      logger.warn({ trunk: trunk.name }, 'the password of a trunk has to be set again');
    }

    return { ...trunk, ...(password !== undefined && { password }) };
  }
}

function contextOf(name: string): string {
  return `trunk ${name}`;
}

function defaultPort({ transport }: TrunkSettings): number {
  return transport === 'tls' ? 5061 : 5060;
}

function check(trunk: TrunkSettings): void {
  if (trunk.register && (trunk.username === undefined || trunk.secret === undefined)) {
    throw new AppError('BAD_REQUEST', 'to register, a trunk needs username and password');
  }
  for (const entry of trunk.allowedAddresses) {
    if (toSubnet(entry) === undefined) {
      throw new AppError('BAD_REQUEST', `not an address or address/prefix: ${entry}`);
    }
  }
}
