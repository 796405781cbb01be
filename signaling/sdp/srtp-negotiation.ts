/** The keys of one stream, as an offer and its answer agree on them (RFC 4568 5.1, 7.1). Pure. */
import { findSrtpSuite, type SrtpKeys } from '../../media/srtp/suites.ts';
import { usableCrypto, type AudioCapabilities } from './audio-negotiation.ts';
import {
  countCrypto,
  hasCrypto,
  isSameKey,
  newSrtpKey,
  readCryptoLines,
  type CryptoLine,
} from './crypto-attribute.ts';
import { SdpError } from './sdp-check.ts';
import type { SdpMedia } from './sdp-model.ts';

/**
 * "the answerer … MUST use its own key" (RFC 4568 5.1.2). One that goes on with the same key goes on with
 * ours: nobody starts to count anew; with another key both do.
 */
export function answerKeys({ key }: CryptoLine, before: SrtpKeys | undefined): SrtpKeys {
  const isKept = before !== undefined && isSameKey(before.receive, key);
  const send = isKept ? before.send : newSrtpKey(findSrtpSuite(key.suite)!);

  return { send, receive: key };
}

/** Our key is that of the offer's line whose tag the answer names (RFC 4568 5.1.3). */
export function answeredKeys(
  offered: SdpMedia,
  answered: SdpMedia,
  capabilities: Pick<AudioCapabilities, 'srtp'>,
): SrtpKeys | undefined | SdpError {
  if (!hasCrypto(answered) || !hasCrypto(offered)) {
    const isOptional = capabilities.srtp !== 'required' && !/SAVP/.test(answered.protocol);

    return isOptional ? undefined : new SdpError('the answer has no key');
  }
  const theirs = usableCrypto(answered, capabilities);
  const ours = readCryptoLines(offered)?.find(({ tag }) => tag === theirs?.tag);
  const fits = countCrypto(answered) === 1 && ours?.key.suite === theirs?.key.suite;
  if (theirs === undefined || ours === undefined || !fits) {
    return new SdpError('the crypto line of the answer is none of the offer');
  }

  return { send: ours.key, receive: theirs.key };
}
