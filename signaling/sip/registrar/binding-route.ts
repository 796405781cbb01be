/** From a binding to the way there. */
import type { Binding } from '../../../server/index.ts';
import { parseNameAddr, parseUri, type NameAddr, type Uri } from '../message/index.ts';
import { isReliable, type RemoteFlow } from '../transport/index.ts';
import { PROCESS_ID } from './registrar.ts';

export interface BindingRoute {
  /** The contact: goes into the Request-URI. */
  readonly uri: Uri;
  /** By RFC 3327, top first. */
  readonly routes: readonly NameAddr[];
  /** The flow that the registration came on; undefined when it is gone, or a Path leads there. */
  readonly flow: RemoteFlow | undefined;
}

/**
 * RFC 5626 5.3: requests to a contact "go down the stored flow". Undefined when there is no way: the
 * connection of an outbound binding or of a WebSocket client is gone, and nobody can connect to it.
 */
export function routeOfBinding(binding: Binding): BindingRoute | undefined {
  const uri = parseUri(binding.contact);
  const routes = binding.path.map((text) => parseNameAddr(text));
  if (uri === undefined || routes.some((route) => route === undefined)) return undefined;
  const { protocol, remote, local, connectionId, process } = binding.flow;
  const isStream = isReliable(protocol);
  const lives = !isStream || (connectionId !== undefined && process === PROCESS_ID);
  const isOnlyByFlow = binding.regId !== undefined || protocol === 'WS' || protocol === 'WSS';
  if (!lives && isOnlyByFlow) return undefined;

  return {
    uri,
    routes: routes as NameAddr[],
    flow: lives && routes.length === 0 ? { protocol, remote, local, connectionId } : undefined,
  };
}
