/** Trunks without a call: registration at providers (RFC 3261 10.2), probing by OPTIONS. */
export { TrunkAgent } from './trunk-agent.ts';
export type { TrunkAgentOptions } from './trunk-agent.ts';
export { TrunkKeeper } from './trunk-keeper.ts';
export type { TrunkKeeperOptions } from './trunk-keeper.ts';
