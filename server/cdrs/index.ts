export { CdrBook } from './cdr-book.ts';
export type { CallQualities, Cdr, CdrQuery, CdrStore } from './cdr.ts';
export { openCdrs, qualitiesOf } from './open-cdrs.ts';
