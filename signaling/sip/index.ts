export { SipFrontEnd } from './sip-front-end.ts';
export type { SipFrontEndOptions } from './sip-front-end.ts';
