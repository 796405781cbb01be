import { beforeEach, describe, expect, it } from '@jest/globals';
import { Device } from 'mediasoup-client';
import * as fake from 'mediasoup-client/fakeParameters';
import { FakeHandler } from 'mediasoup-client/handlers/FakeHandler';
import { SfuClient } from '../../web/sfu-client.ts';

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

  it('are received after a connection for them could not be made at first', async () => {
    const sfu = client();
    await sfu.load(capabilities);
    failing = ['create-transport'];
    await sfu.want('voice', 'audio', () => VISIBLE);
    expect([errors, sfu.wanted]).toEqual([['receiving audio'], []]);
    failing = [];
    await sfu.want('voice', 'audio', () => VISIBLE);
    expect(tracks).toEqual(['voice audio']);
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
