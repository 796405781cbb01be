/** What nobody may read in a trace; pure. */

const HIDDEN = '***';

/** Each finds a secret between what may be shown before and after it. */
const SECRETS: readonly RegExp[] = [
  // Credentials, with their folded lines; the scheme stays.
  /^((?:proxy-)?authorization[ \t]*:[ \t]*[A-Za-z]*[ \t]?)[^\r\n]*(?:\r?\n[ \t][^\r\n]*)*()/gim,
  // SRTP keys (RFC 4568 9.1) and what else SDP may carry of that kind.
  /(inline:)[^\s|;]*()/gi,
  /^(a=ice-pwd:)[^\r\n]*()/gim,
  /^(k=[a-z]+:?)[^\r\n]*()/gim,
  // The password of a URI.
  /(sips?:[^\s:@<>;]+:)[^\s@<>;]+(@)/gi,
  // A PIN that was dialled with its room, or key by key in an INFO.
  /(sips?:[^\s:@<>;*]+\*)[0-9]+(@)/gi,
  /^(signal[ \t]*=[ \t]*)[^\r\n]*()/gim,
];

export function maskSecrets(text: string): string {
  let masked = text;
  for (const secret of SECRETS) masked = masked.replace(secret, `$1${HIDDEN}$2`);

  return masked;
}
