import type { Trunk, TrunkBook } from '../../../server/index.ts';
import { TrunkAgent, type TrunkAgentOptions } from './trunk-agent.ts';

export interface TrunkKeeperOptions extends Omit<TrunkAgentOptions, 'onStatus'> {
  readonly trunks: TrunkBook;
}

/** An agent for each trunk there is, a new one whenever a trunk changes. */
export class TrunkKeeper {
  readonly #options: TrunkKeeperOptions;
  readonly #agents = new Map<string, TrunkAgent>();

  constructor(options: TrunkKeeperOptions) {
    this.#options = options;
  }

  /** When SIP listens. */
  start(): void {
    const { trunks } = this.#options;
    for (const { name } of trunks.list()) this.#keep(trunks.open(name));
    trunks.events.on('changed', this.#keep);
    trunks.events.on('removed', this.#drop);
  }

  close(): void {
    const { trunks } = this.#options;
    trunks.events.off('changed', this.#keep);
    trunks.events.off('removed', this.#drop);
    for (const name of [...this.#agents.keys()]) this.#drop(name);
  }

  readonly #keep = (trunk: Trunk): void => {
    const { trunks, ...common } = this.#options;
    this.#drop(trunk.name);
    const agent = new TrunkAgent(trunk, {
      ...common,
      logger: common.logger.child({ trunk: trunk.name }),
      onStatus: (change) => {
        trunks.setStatus(trunk.name, change);
      },
    });
    this.#agents.set(trunk.name, agent);
    agent.start();
  };

  readonly #drop = (name: string): void => {
    this.#agents.get(name)?.close();
    this.#agents.delete(name);
  };
}
