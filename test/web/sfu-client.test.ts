import { beforeEach, describe, expect, it } from '@jest/globals';
import { Device } from 'mediasoup-client';
import * as fake from 'mediasoup-client/fakeParameters';
import { FakeHandler } from 'mediasoup-client/handlers/FakeHandler';
import { SfuClient } from '../../web/sfu-client.ts';
import { letRun, waitUntil } from '../support/wait-until.ts';

const VISIBLE = { visible: true, spatialLayer: 1 };

let asked: string[];
let failing: string[];
let errors: string[];
let tracks: string[];
let whileLoading: () => Promise<void>;
let beforeAnswer: (name: string) => void;

function answerTo(name: string): unknown {
  if (name === 'create-transport') return fake.generateTransportRemoteParameters();
  if (name === 'consume') {
    return fake.generateConsumerRemoteParameters({ codecMimeType: 'audio/opus' });
  }

  return {};
}

/** The page's media against an answering server; the browser's part is the library's own stand-in. */
function client(): SfuClient {
  return new SfuClient({
    request: (name) => {
      asked.push(name);
      beforeAnswer(name);
      if (failing.includes(name)) return Promise.reject(new Error(`${name} refused`));

      return Promise.resolve(answerTo(name) as never);
    },
    onTrack: (producerId, track) => tracks.push(`${producerId} ${track?.kind ?? 'gone'}`),
    onError: (what) => errors.push(what),
    pauses: [1, 1],
    createDevice: () => {
      const device = new Device({ handlerFactory: FakeHandler.createFactory(fake) });
      const load = device.load.bind(device);
      device.load = async (options) => {
        await whileLoading();
        await load(options);
      };

      return Promise.resolve(device);
    },
  });
}

const capabilities = fake.generateRouterRtpCapabilities() as Parameters<SfuClient['load']>[0];

beforeEach(() => {
  asked = [];
  failing = [];
  errors = [];
  tracks = [];
  beforeAnswer = () => undefined;
  whileLoading = () => Promise.resolve();
});

describe('streams of others', () => {
  it('that come before the browser has said what it can wait for the look at all of them', async () => {
    const sfu = client();
    whileLoading = () => sfu.want('voice', 'audio', () => VISIBLE);
    await sfu.load(capabilities);
    expect([errors, asked, sfu.wanted]).toEqual([[], [], []]);
    await sfu.want('voice', 'audio', () => VISIBLE);
    expect([errors, tracks]).toEqual([[], ['voice audio']]);
    sfu.close();
  });

  it.each(['create-transport', 'connect-transport', 'consume', 'resume-consumer'])(
    'are received when %s fails once, which is said',
    async (name) => {
      const sfu = client();
      await sfu.load(capabilities);
      failing = [name];
      await sfu.want('voice', 'audio', () => VISIBLE);
      expect([errors, sfu.wanted]).toEqual([['receiving audio'], ['voice']]);
      failing = [];
      await waitUntil('it is received', () =>
        asked.at(-1) === 'resume-consumer' ? undefined : asked.join(),
      );
      expect([errors, tracks]).toEqual([['receiving audio'], ['voice audio']]);
      sfu.close();
    },
  );

  it('are not asked for any more after a while, or when they are gone', async () => {
    const sfu = client();
    await sfu.load(capabilities);
    failing = ['consume'];
    await sfu.want('voice', 'audio', () => VISIBLE);
    await waitUntil('it is given up', () => (sfu.wanted.length === 0 ? undefined : 'wanted'));
    expect(asked.filter((name) => name === 'consume')).toHaveLength(3);
    // Whoever comes back from an outage asks again.
    await sfu.want('voice', 'audio', () => VISIBLE);
    sfu.drop('voice');
    const before = asked.length;
    await letRun(20);
    expect([asked.length, errors.length]).toEqual([before, 2]);
    sfu.close();
  });

  it('are asked for as they are wished when that failed once', async () => {
    const sfu = client();
    await sfu.load(capabilities);
    await sfu.want('picture', 'video', () => VISIBLE);
    failing = ['pause-consumer'];
    await sfu.setWishes(() => ({ visible: false, spatialLayer: 0 }));
    failing = [];
    const before = asked.length;
    await waitUntil('it is paused', () =>
      asked.slice(before).includes('pause-consumer') ? undefined : asked.join(),
    );
    expect(errors).toEqual(['adapting video']);
    sfu.close();
  });

  it('share one connection', async () => {
    const sfu = client();
    await sfu.load(capabilities);
    await Promise.all(['one', 'two'].map((id) => sfu.want(id, 'audio', () => VISIBLE)));
    expect(asked.filter((name) => name === 'create-transport')).toHaveLength(1);
    expect(tracks).toEqual(['one audio', 'two audio']);
    sfu.close();
  });

  it('leave no connection open when the meeting is left while it is being made', async () => {
    const sfu = client();
    await sfu.load(capabilities);
    beforeAnswer = (name) => {
      if (name === 'create-transport') sfu.close();
    };
    await sfu.want('voice', 'audio', () => VISIBLE);
    expect(await sfu.stats()).toEqual([]);
    expect([asked, tracks]).toEqual([['create-transport'], []]);
  });
});
