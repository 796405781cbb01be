import { formatNameAddr, isSipUri, makeSipUri, type Uri } from '../message/index.ts';
import type { Endpoint, SendTarget } from '../transport/index.ts';

/** Our Contact as the peer at `target` reaches us; `user` is what it dials us by. */
export function contactOf(
  localAddressFor: (target: SendTarget) => Endpoint | undefined,
  user: string | undefined,
  target: SendTarget | undefined,
  isFocus: boolean,
): string {
  const wanted = target ?? { protocol: 'UDP' as const, address: '0.0.0.0', port: 5060 };
  const local = localAddressFor(wanted) ?? { address: 'invalid', port: 0 };
  const transport = wanted.protocol === 'UDP' ? undefined : wanted.protocol.toLowerCase();
  const uri = makeSipUri({
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
