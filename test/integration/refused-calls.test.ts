import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BaresipPhone, type PhoneCodec } from '../support/baresip-phone.ts';
import { stopAllChildren } from '../support/child-process.ts';
import { ParleyServer } from '../support/parley-server.ts';
import { scratchFolder } from '../support/scratch.ts';
import { waitUntil } from '../support/wait-until.ts';

describe('calls that cannot be let in', () => {
  const folder = scratchFolder('refused');
  let server: ParleyServer;
  let ports = 5070;

  beforeAll(async () => {
    server = await ParleyServer.start({ folder, env: { ROOM_AUTO_CREATE: 'false' } });
    await server.api('POST', '/rooms', { number: '700', maxParticipants: 1 });
    await server.api('POST', '/rooms', { number: '701', guestPin: '1234' });
  });

  afterAll(async () => {
    await stopAllChildren();
  });

  async function phone(codec: PhoneCodec = 'pcmu'): Promise<BaresipPhone> {
    ports += 2;

    return BaresipPhone.start({
      folder: path.join(folder, `phone${ports}`),
      name: `phone${ports}`,
      port: ports,
      codec,
    });
  }

  it('404 for a room that is not there and may not be made', async () => {
    expect(await (await phone()).callRefused(server.sipUri('799'))).toMatch(/^404/);
  });

  it('404 for what cannot be a room', async () => {
    expect(await (await phone()).callRefused(server.sipUri('no_room'))).toMatch(/^404/);
  });

  it('488 for a phone without a common codec', async () => {
    expect(await (await phone('g726')).callRefused(server.sipUri('700'))).toMatch(/^488/);
  });

  it('486 when the room is full, and in again when somebody left', async () => {
    const [first, second] = [await phone(), await phone()];
    await first.call(server.sipUri('700'));
    expect(await second.callRefused(server.sipUri('700'))).toMatch(/^486/);
    await first.hangUp();
    await waitUntil('the first has left', async () => {
      const { length } = await server.participants('700');

      return length === 0 ? undefined : `${length} there`;
    });
    await second.call(server.sipUri('700'));
    await second.hangUp();
  });

  it('403 for a wrong PIN; the right one, dialled behind the number, lets in', async () => {
    const caller = await phone();
    expect(await caller.callRefused(server.sipUri('701*9999'))).toMatch(/^403/);
    await caller.call(server.sipUri('701*1234'));
    await caller.hangUp();
  });
});
