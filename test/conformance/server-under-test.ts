import { freePortSettings } from '../support/free-ports.ts';
import { ParleyServer } from '../support/parley-server.ts';
import { scratchFolder } from '../support/scratch.ts';
import { SipProber } from './sip-prober.ts';

export interface ServerUnderTest {
  readonly server: ParleyServer;
  readonly prober: SipProber;
}

/**
 * The real server, with no room but those that exist: messages that others wrote carry addresses of
 * theirs, and no media may go there.
 */
export async function startServer(
  name: string,
  env: Record<string, string> = {},
): Promise<ServerUnderTest> {
  const server = await ParleyServer.start({
    folder: scratchFolder(name),
    env: {
      ...(await freePortSettings()),
      ROOM_AUTO_CREATE: 'false',
      LOG_LEVEL: 'info',
      ...env,
    },
  });

  return { server, prober: new SipProber(server.sipPort) };
}
