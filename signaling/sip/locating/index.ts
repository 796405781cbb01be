export { CachingResolver } from './caching-resolver.ts';
export { Locator } from './locator.ts';
export type { LocatorOptions } from './locator.ts';
export { LocatingSender } from './locating-sender.ts';
export type { Requester } from './locating-sender.ts';
export { DnsResolver } from './name-resolver.ts';
export type { NameResolver, NaptrRecord, SrvRecord } from './name-resolver.ts';
export { orderNaptr, orderSrv } from './record-order.ts';
