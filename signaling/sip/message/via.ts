import { formatHostPort, parseHostPort } from './host-port.ts';
import { isToken } from './lexer.ts';
import { formatHeaderParams, parseHeaderParams, type Params } from './params.ts';

/** RFC 3261 7.1.1: what marks a branch as unique for all time. */
export const BRANCH_COOKIE = 'z9hG4bK';

/** One Via value (RFC 3261 20.42). */
export interface Via {
  /** "2.0" */
  readonly version: string;
  /** In upper case: UDP, TCP, TLS, WS, WSS … */
  readonly transport: string;
  /** sent-by: lower case, IPv6 without brackets. */
  readonly host: string;
  readonly port: number | undefined;
  readonly params: Params;
}

export function parseVia(text: string): Via | undefined {
  const first = text.indexOf('/');
  const second = text.indexOf('/', first + 1);
  if (first < 0 || second < 0 || text.slice(0, first).trim().toUpperCase() !== 'SIP') {
    return undefined;
  }
  const version = text.slice(first + 1, second).trim();
  const semicolon = text.indexOf(';', second);
  const sentProtocol = text.slice(second + 1, semicolon < 0 ? text.length : semicolon).trim();
  const space = sentProtocol.search(/[ \t]/);
  if (space < 0 || !isToken(version)) return undefined;
  const transport = sentProtocol.slice(0, space);
  const hostPort = parseHostPort(sentProtocol.slice(space + 1).trimStart());
  const params = parseHeaderParams(text, semicolon < 0 ? text.length : semicolon);
  if (!isToken(transport) || hostPort === undefined || params === undefined) return undefined;

  return {
    version,
    transport: transport.toUpperCase(),
    host: hostPort.host,
    port: hostPort.port,
    params,
  };
}

export function formatVia(via: Via): string {
  const sentBy = formatHostPort(via.host, via.port);

  return `SIP/${via.version}/${via.transport} ${sentBy}${formatHeaderParams(via.params)}`;
}

export function viaBranch(via: Via): string | undefined {
  return via.params.get('branch');
}
