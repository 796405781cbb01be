import { createHmac } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BaresipPhone } from '../support/baresip-phone.ts';
import { stopAllChildren } from '../support/child-process.ts';
import { ParleyServer } from '../support/parley-server.ts';
import { scratchFolder } from '../support/scratch.ts';
import { waitUntil } from '../support/wait-until.ts';

const SECRET = 'a secret of this test';

interface Delivery {
  event: string;
  signed: boolean;
}

describe('webhooks of a call', () => {
  const folder = scratchFolder('webhooks');
  const deliveries: Delivery[] = [];
  let refusals = 1;
  let receiver: Server;
  let server: ParleyServer;

  beforeAll(async () => {
    receiver = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const body = Buffer.concat(chunks);
        // The first delivery fails, as a receiver that restarts would let it.
        if (refusals-- > 0) {
          response.writeHead(503).end();

          return;
        }
        const digest = createHmac('sha256', SECRET).update(body).digest('hex');
        const { type } = JSON.parse(body.toString()) as { type: string };
        deliveries.push({
          event: type,
          signed: request.headers['x-parley-signature'] === `sha256=${digest}`,
        });
        response.writeHead(204).end();
      });
    });
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
    const { port } = receiver.address() as AddressInfo;
    server = await ParleyServer.start({
      folder,
      env: { WEBHOOK_URL: `http://127.0.0.1:${port}/hook`, WEBHOOK_SECRET: SECRET },
    });
  });

  afterAll(async () => {
    await stopAllChildren();
    receiver.close();
  });

  it('are signed, retried, and tell of the room and of who came and went', async () => {
    const phone = await BaresipPhone.start({
      folder: path.join(folder, 'phone'),
      name: 'phone',
      port: 5070,
    });
    await phone.call(server.sipUri('900'));
    await phone.hangUp();
    await waitUntil('four events came', () =>
      deliveries.length >= 4 ? undefined : JSON.stringify(deliveries),
    );

    expect(deliveries.map((each) => each.event).sort()).toEqual([
      'participant.joined',
      'participant.left',
      'room.ended',
      'room.started',
    ]);
    expect(deliveries.every((each) => each.signed)).toBe(true);
    expect(server.log).not.toContain(SECRET);
  });
});
