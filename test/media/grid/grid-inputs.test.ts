import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { types as mediasoup } from 'mediasoup';
import { GridInputs } from '../../../media/grid/grid-inputs.ts';
import { GridService } from '../../../media/grid/grid-service.ts';
import { RoomGrid } from '../../../media/grid/room-grid.ts';
import { openLoopback } from '../../../media/sfu/loopback.ts';
import { WorkerPool } from '../../../media/worker-pool.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { testDeps, testSettings } from '../media-fixture.ts';

jest.setTimeout(60_000);

const PORTS = { min: 30_000, max: 39_999 };

describe('what a compositor is sent of a camera with layers, by the real worker', () => {
  let workers: WorkerPool;
  let router: mediasoup.Router;
  let camera: mediasoup.Producer;
  let inputs: GridInputs;
  const consumers: mediasoup.Consumer[] = [];

  beforeAll(async () => {
    workers = await WorkerPool.start(await testSettings(), testDeps);
    ({ router } = await workers.createRouter());
    const source = await openLoopback(router, PORTS, true);
    camera = await source.produce({
      kind: 'video',
      rtpParameters: {
        codecs: [{ mimeType: 'video/VP8', clockRate: 90_000, payloadType: 96 }],
        encodings: [1, 2, 3].map((ssrc) => ({ ssrc, scalabilityMode: 'L1T3' })),
      },
    });
    const transport = await openLoopback(router, PORTS, false);
    transport.observer.on('newconsumer', (consumer) => consumers.push(consumer));
    await transport.connect({ ip: '127.0.0.1', port: 9 });
    inputs = new GridInputs(router, transport, () => undefined);
  });

  afterAll(async () => {
    await workers?.close();
  });

  async function layers(tiles: number, thrift: number): Promise<unknown[]> {
    const members = Array.from({ length: tiles }, (_, index) => {
      return { id: String(index), name: 'A', producer: camera };
    });
    await inputs.update(members, thrift);
    const open = consumers
      .filter(({ closed }) => !closed)
      .map(({ preferredLayers }) => preferredLayers);
    expect(open).toHaveLength(tiles);

    return [...new Map(open.map((each) => [JSON.stringify(each), each])).values()];
  }

  it('is the whole picture for one who is alone, and the middle layer for a tile', async () => {
    expect(await layers(1, 0)).toEqual([{ spatialLayer: 2, temporalLayer: 2 }]);
    expect(await layers(4, 0)).toEqual([{ spatialLayer: 1, temporalLayer: 2 }]);
  });

  it('is less of it while there is no CPU, and as much again afterwards', async () => {
    expect(await layers(9, 1)).toEqual([{ spatialLayer: 0, temporalLayer: 2 }]);
    expect(await layers(9, 2)).toEqual([{ spatialLayer: 0, temporalLayer: 1 }]);
    expect(await layers(9, 0)).toEqual([{ spatialLayer: 1, temporalLayer: 2 }]);
  });

  it('is less of it when the compositor leaves out pictures for want of CPU', async () => {
    const limits = { rooms: 1, framesPerSecond: 25, cpuShare: 0.01, bitrate: 1_500_000 };
    const grids = new GridService(limits, testDeps);
    const clock = new FakeClock();
    const taken: mediasoup.Consumer[] = [];
    router.observer.on('newtransport', (transport) => {
      transport.observer.on('newconsumer', (consumer) => taken.push(consumer));
    });
    const grid = new RoomGrid({ router, ports: PORTS, grids, clock, logger: testDeps.logger });
    const members = ['a', 'b', 'c', 'd'].map((id) => ({ id, name: id, producer: camera }));
    grid.setMembers(members);
    grid.setWanted(new Map([['VP8', undefined]]));
    const reaches = (spatialLayer: number): Promise<void> =>
      waitUntil(`layer ${spatialLayer}`, () => {
        const layers = taken.map(({ preferredLayers }) => preferredLayers?.spatialLayer);

        return layers.length === members.length && layers.every((each) => each === spatialLayer)
          ? undefined
          : String(layers);
      });
    await reaches(1);
    await waitUntil('pictures left out', () => {
      const { framesDropped } = grids.counters();

      return framesDropped > 20 ? undefined : String(framesDropped);
    });
    clock.advance(6000);
    await reaches(0);
    await grid.close();
  });
});
