import { isIP } from 'node:net';
import { isSipUri, type Uri } from '../message/index.ts';
import {
  defaultPort,
  flowTarget,
  isReliable,
  type SendTarget,
  type TransportProtocol,
} from '../transport/index.ts';
import type { Dialog } from './dialog.ts';

/**
 * Where a request inside a dialog goes: the first route, else the remote target (RFC 3261 8.1.2);
 * undefined when that is a name which must be looked up. Two deviations keep phones behind address
 * translation reachable: a peer that called over a stream is answered on it (RFC 5923 and 7118 in
 * spirit), and a direct UDP peer whose Contact names another host than the one it sends from gets
 * our requests where it sends from.
 */
export function nextHop(dialog: Dialog): SendTarget | undefined {
  const { flow } = dialog;
  if (flow !== undefined && isReliable(flow.protocol)) return flowTarget(flow);
  const [route] = dialog.routeSet;
  const target = uriTarget(route?.uri ?? dialog.remoteTarget);
  if (flow === undefined) return target;
  if (target === undefined) return flowTarget(flow);
  const isElsewhere = target.address !== flow.remote.address;

  return route === undefined && dialog.isDirect && isElsewhere ? flowTarget(flow) : target;
}

/** A URI that needs no look-up. */
export function uriTarget(uri: Uri): SendTarget | undefined {
  if (!isSipUri(uri)) return undefined;
  const maddr = uri.params.get('maddr');
  const address = maddr !== undefined && isIP(maddr) !== 0 ? maddr : uri.host;
  if (isIP(address) === 0) return undefined;
  const protocol = uriProtocol(uri.scheme, uri.params.get('transport'));

  return protocol && { address, port: uri.port ?? defaultPort(protocol), protocol };
}

function uriProtocol(
  scheme: 'sip' | 'sips',
  transport: string | undefined,
): TransportProtocol | undefined {
  switch (transport?.toLowerCase()) {
    case undefined:
      return scheme === 'sips' ? 'TLS' : 'UDP';
    case 'udp':
      return scheme === 'sips' ? undefined : 'UDP';
    case 'tcp':
      return scheme === 'sips' ? 'TLS' : 'TCP';
    case 'tls':
      return 'TLS';
    case 'ws':
      return scheme === 'sips' ? 'WSS' : 'WS';
    case 'wss':
      return 'WSS';
    default:
      return undefined;
  }
}
