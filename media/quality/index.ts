export { callQuality } from './call-quality.ts';
export type { CallQuality } from './call-quality.ts';
