import { silentLogger } from '../../base/index.ts';
import { AccountBook, SecretBox } from '../../server/accounts/index.ts';
import type {
  AccountBindings,
  AccountSettings,
  KeyedStore,
  TrunkSettings,
} from '../../server/ports.ts';
import { TrunkBook } from '../../server/trunks/index.ts';
import { FakeClock } from '../support/fake-clock.ts';

/** A store that is a map. */
export class MapStore<Value> implements KeyedStore<string, Value> {
  readonly values = new Map<string, Value>();
  readonly #keyOf: (value: Value) => string;

  constructor(keyOf: (value: Value) => string) {
    this.#keyOf = keyOf;
  }

  list(): Promise<Value[]> {
    return Promise.resolve([...this.values.values()]);
  }

  find(key: string): Promise<Value | undefined> {
    return Promise.resolve(this.values.get(key));
  }

  save(value: Value): Promise<void> {
    this.values.set(this.#keyOf(value), value);

    return Promise.resolve();
  }

  remove(key: string): Promise<void> {
    this.values.delete(key);

    return Promise.resolve();
  }
}

/** Accounts and trunks in memory. */
export class Books {
  readonly clock: FakeClock;
  readonly accountStore = new MapStore<AccountSettings>(({ username }) => username);
  readonly bindingStore = new MapStore<AccountBindings>(({ username }) => username);
  readonly trunkStore = new MapStore<TrunkSettings>(({ name }) => name);
  readonly accounts: AccountBook;
  readonly trunks: TrunkBook;

  constructor(clock = new FakeClock(), realm = 'example.com', key = 'k'.repeat(43)) {
    this.clock = clock;
    const common = { clock, logger: silentLogger, box: new SecretBox(key) };
    this.accounts = this.withRealm(realm, key);
    this.trunks = new TrunkBook({ ...common, store: this.trunkStore });
  }

  /** The same stores, seen by a server with another domain or key. */
  withRealm(realm: string, key: string): AccountBook {
    return new AccountBook({
      clock: this.clock,
      logger: silentLogger,
      box: new SecretBox(key),
      realm,
      store: this.accountStore,
      bindings: this.bindingStore,
    });
  }
}
