import { isIP } from 'node:net';
import { formatVia, isSipUri, type SipRequest, type Uri, type Via } from '../message/index.ts';
import {
  defaultPort,
  type Endpoint,
  type RemoteFlow,
  type SendTarget,
  type TransportProtocol,
} from './transport.ts';

/**
 * RFC 3261 18.2.1 and RFC 3581 4: the top Via of a request learns where the request came from.
 */
export function markReceived(request: SipRequest, source: Endpoint): void {
  const { via } = request;
  const wantsPort = via.params.has('rport');
  // "If the host portion of the sent-by parameter contains a domain name, or if it contains an IP
  // address that differs from the packet source address, the server MUST add a received parameter".
  if (!wantsPort && via.host === source.address && !via.params.has('received')) return;
  const params = new Map(via.params);
  params.set('received', source.address);
  if (wantsPort) params.set('rport', String(source.port));
  request.headers.replaceTop('Via', formatVia({ ...via, params }));
}

/** RFC 3261 18.2.2: where a response goes, by the top Via that the request came with. */
export function responseTarget(via: Via, flow: RemoteFlow): SendTarget {
  const { protocol } = flow;
  const sentByPort = via.port ?? defaultPort(protocol);
  const received = unbracket(via.params.get('received'));
  if (protocol !== 'UDP') {
    // The connection of the request; when it is gone, a new one to received at the sent-by port.
    return { protocol, address: received ?? via.host, port: sentByPort };
  }
  const maddr = unbracket(via.params.get('maddr'));
  if (maddr !== undefined && isIP(maddr) !== 0) {
    return { protocol, address: maddr, port: sentByPort };
  }
  const rport = Number(via.params.get('rport'));
  const port = Number.isInteger(rport) && rport > 0 && rport < 65_536 ? rport : sentByPort;

  return {
    protocol,
    address: received ?? via.host,
    port: received === undefined ? sentByPort : port,
  };
}

function unbracket(text: string | undefined): string | undefined {
  return text?.startsWith('[') === true ? text.slice(1, -1) : text;
}

/**
 * Where a request goes when nobody said so: by its first Route, else its Request-URI. Undefined for
 * a URI that is not SIP.
 */
export function requestTarget(request: SipRequest): SendTarget | undefined {
  const next: Uri = request.routes[0]?.uri ?? request.uri;
  if (!isSipUri(next)) return undefined;
  const protocol = protocolOf(next.params.get('transport'), next.scheme === 'sips');
  const address = unbracket(next.params.get('maddr')) ?? next.host;
  const domain = protocol === 'TLS' ? { domain: next.host } : {};

  return { protocol, address, port: next.port ?? defaultPort(protocol), ...domain };
}

function protocolOf(transport: string | undefined, secure: boolean): TransportProtocol {
  switch (transport?.toLowerCase()) {
    case 'tcp':
      return secure ? 'TLS' : 'TCP';
    case 'tls':
      return 'TLS';
    case 'ws':
      return secure ? 'WSS' : 'WS';
    case 'wss':
      return 'WSS';
    default:
      return secure ? 'TLS' : 'UDP';
  }
}

/** A request to the peer of this flow, by the same connection when it has one. */
export function flowTarget(flow: RemoteFlow): SendTarget {
  const { protocol, connectionId, local } = flow;

  return { protocol, ...flow.remote, connectionId, local };
}
