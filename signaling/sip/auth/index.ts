/** Digest authentication in both roles (RFC 7616, RFC 8760, RFC 3261 22). */
export { AttemptLimiter, DEFAULT_ATTEMPT_LIMITS } from './attempt-limiter.ts';
export type { AttemptLimits } from './attempt-limiter.ts';
export { DigestAuthenticator } from './authenticator.ts';
export type {
  AuthenticatorOptions,
  AuthOutcome,
  AuthVerdict,
  CredentialSource,
} from './authenticator.ts';
export {
  digestHash,
  digestResponse,
  formatDigest,
  hashA1,
  parseAlgorithm,
  parseDigest,
} from './digest.ts';
export type { DigestAlgorithm, DigestInput, DigestParams } from './digest.ts';
export { DigestClient } from './digest-client.ts';
export type { ClientCredentials } from './digest-client.ts';
export { NonceBook } from './nonce-book.ts';
