import {
  formatNameAddr,
  isSipUri,
  makeSipUri,
  parseNameAddr,
  type SipRequest,
  type Uri,
} from '../message/index.ts';
import type { Endpoint, SendTarget } from '../transport/index.ts';

/** Our Contact as the peer at `target` reaches us; `user` is what it dials us by. */
export function contactOf(
  localAddressFor: (target: SendTarget) => Endpoint | undefined,
  user: string | undefined,
  target: SendTarget | undefined,
  isFocus: boolean,
  isSips: boolean,
): string {
  const wanted = target ?? { protocol: 'UDP' as const, address: '0.0.0.0', port: 5060 };
  const local = localAddressFor(wanted) ?? { address: 'invalid', port: 0 };
  const transport = transportParam(wanted.protocol, isSips);
  const uri = makeSipUri({
    scheme: isSips ? 'sips' : 'sip',
    user,
    host: local.address,
    port: local.port,
    params: transport === undefined ? {} : { transport },
  });
  // RFC 3840 5 and RFC 4579 4.2: "isfocus", a parameter of the header field.
  const params = new Map<string, undefined>(isFocus ? [['isfocus', undefined]] : []);

  return formatNameAddr({ displayName: undefined, uri, params });
}

export function userPart(uri: Uri): string | undefined {
  return isSipUri(uri) ? uri.user : undefined;
}

/** In a SIPS URI the scheme says TLS already; "ws" is the one transport of all WebSockets (RFC 7118 5.2.2). */
function transportParam(protocol: SendTarget['protocol'], isSips: boolean): string | undefined {
  if (protocol === 'WS' || protocol === 'WSS') return 'ws';

  return protocol === 'UDP' || isSips ? undefined : protocol.toLowerCase();
}

/**
 * RFC 3261 12.1.1: "If the request … contained a SIPS URI in the Request-URI or in the top Record-Route
 * header field value, if there was any, or the Contact header field if there was no Record-Route … the
 * Contact … MUST be a SIPS URI."
 */
export function wantsSips(request: SipRequest): boolean {
  const [recordRoute] = request.headers.list('Record-Route');
  const route = recordRoute === undefined ? request.contact : parseNameAddr(recordRoute);

  return isSips(request.uri) || (route !== undefined && isSips(route.uri));
}

export function isSips(uri: Uri): boolean {
  return isSipUri(uri) && uri.scheme === 'sips';
}
