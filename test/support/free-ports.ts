import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { randomInt } from 'node:crypto';

const HOST = '127.0.0.1';

/** A port that is free on loopback for TCP and UDP at this moment. */
export async function freePort(): Promise<number> {
  for (;;) {
    const server = createServer().listen(0, HOST);
    await once(server, 'listening');
    const address = server.address();
    const port = address === null || typeof address === 'string' ? 0 : address.port;
    const udp = createSocket('udp4');
    const isFree = await new Promise<boolean>((resolve) => {
      udp.once('error', () => {
        resolve(false);
      });
      udp.bind(port, HOST, () => {
        resolve(true);
      });
    });
    await new Promise<void>((resolve) => {
      udp.close(() => {
        resolve();
      });
    });
    server.close();
    await once(server, 'close');
    if (isFree) return port;
  }
}

/** Settings with which several servers run beside each other, and beside whatever else runs. */
export async function freePortSettings(): Promise<Record<string, string>> {
  // Below the range from which the system gives ports away.
  const rtp = 20_000 + 400 * randomInt(0, 28);

  return {
    HTTP_PORT: String(await freePort()),
    SIP_PORT: String(await freePort()),
    WEBRTC_PORT: String(await freePort()),
    RTP_PORT_MIN: String(rtp),
    RTP_PORT_MAX: String(rtp + 399),
  };
}
