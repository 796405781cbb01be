/** What accounts mean for SIP, put together: who proves how, who registers, who may call. */
import { networkInterfaces } from 'node:os';
import type { Clock, Logger } from '../../base/index.ts';
import type { AccountBook, DigestAlgorithm, TrunkBook } from '../../server/index.ts';
import { DigestAuthenticator, type AuthOutcome } from './auth/index.ts';
import { CallAdmission } from './gateway-admission.ts';
import { Registrar } from './registrar/index.ts';

export interface AccountServiceOptions {
  readonly accounts: AccountBook;
  readonly trunks: TrunkBook;
  /** Callers without an account may enter rooms. */
  readonly guests: boolean;
  readonly digestAlgorithms: readonly DigestAlgorithm[];
  /** The domain of addresses of record, and the realm. */
  readonly domain: string;
  readonly hosts: readonly string[];
  readonly publicAddress: string;
  readonly product: string;
  readonly counters: { authentication(outcome: AuthOutcome): void };
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface AccountServices {
  readonly registrar: Registrar;
  readonly admission: CallAdmission;
  readonly isOurHost: (host: string) => boolean;
}

export function createAccountServices(options: AccountServiceOptions): AccountServices {
  const { accounts, trunks, domain, clock, counters } = options;
  const logger = options.logger.child({ tag: 'accounts' });
  const isOurHost = ownHosts(options);
  const common = {
    realm: domain,
    clock,
    logger,
    onOutcome: (outcome: AuthOutcome) => {
      counters.authentication(outcome);
    },
  };
  const authenticator = new DigestAuthenticator({
    ...common,
    algorithms: options.digestAlgorithms,
    credentials: accounts,
  });
  const trunkAuthenticator = new DigestAuthenticator({
    ...common,
    algorithms: options.digestAlgorithms,
    credentials: {
      ha1: (username, algorithm) => trunks.ha1(username, domain, algorithm),
      algorithms: () => Promise.resolve(undefined),
    },
  });
  accounts.events.on('passwordChanged', (username) => {
    authenticator.limiter.distrust(username);
  });

  return {
    isOurHost,
    registrar: new Registrar({
      store: accounts,
      authenticator,
      isOurHost,
      product: options.product,
      clock,
      logger,
    }),
    admission: new CallAdmission({
      accounts,
      trunks,
      guests: options.guests,
      isOurHost,
      authenticator,
      trunkAuthenticator,
      logger,
    }),
  };
}

/** The domain and every address of this machine: phones are often set up with the bare address. */
function ownHosts({
  domain,
  hosts,
  publicAddress,
}: AccountServiceOptions): (host: string) => boolean {
  const names = new Set(
    [domain, ...hosts, publicAddress, 'localhost'].map((name) => name.toLowerCase()),
  );
  for (const addresses of Object.values(networkInterfaces())) {
    for (const { address } of addresses ?? []) names.add(address.toLowerCase());
  }

  return (name) => names.has(name.toLowerCase());
}
