import { beforeEach, describe, expect, it } from '@jest/globals';
import type { types } from 'mediasoup-client';
import { AlternativeStreams } from '../../web/alternative-streams.ts';

type Source = 'microphone' | 'camera' | 'screen';

const H264 = {
  kind: 'video',
  mimeType: 'video/H264',
  clockRate: 90_000,
} as types.RtpCodecCapability;

let originals: Map<Source, types.Producer>;
let open: string[];
let errors: unknown[];
let fails: boolean;

function original(kind: 'audio' | 'video', name: string): types.Producer {
  const track = { name, clone: () => ({ name: `${name} again` }) };

  return { kind, track } as unknown as types.Producer;
}

function streams(): AlternativeStreams {
  return new AlternativeStreams({
    originals,
    codec: (name) => (name === 'H264' ? H264 : undefined),
    produce: (source, track) => {
      if (fails) return Promise.reject(new Error('refused'));
      const id = `${source}: ${(track as unknown as { name: string }).name}`;
      open.push(id);

      return Promise.resolve({ id, close: () => undefined } as unknown as types.Producer);
    },
    close: (id) => {
      open = open.filter((each) => each !== id);

      return Promise.resolve();
    },
    onError: (_what, error) => errors.push(error),
  });
}

beforeEach(() => {
  originals = new Map<Source, types.Producer>([
    ['microphone', original('audio', 'mic')],
    ['camera', original('video', 'cam')],
  ]);
  open = [];
  errors = [];
  fails = false;
});

describe('pictures in another codec', () => {
  it('begin when a phone takes nothing else, and end with it', async () => {
    const alternatives = streams();
    await Promise.all([alternatives.want('H264'), alternatives.settle()]);
    expect(open).toEqual(['camera: cam again']);
    await alternatives.want(undefined);
    expect(open).toEqual([]);
  });

  it('follow what is sent: a screen that is shared, a camera that is off, another camera', async () => {
    const alternatives = streams();
    await alternatives.want('H264');
    originals.set('screen', original('video', 'screen'));
    await alternatives.settle();
    expect(open).toEqual(['camera: cam again', 'screen: screen again']);
    originals.delete('screen');
    originals.set('camera', original('video', 'other'));
    await alternatives.renew('camera');
    expect(open).toEqual(['camera: other again']);
  });

  it('are not sent in what the browser cannot encode', async () => {
    await streams().want('AV1');
    expect(open).toEqual([]);
  });

  it('may fail: the next change tries again', async () => {
    fails = true;
    const alternatives = streams();
    await alternatives.want('H264');
    expect(errors).toHaveLength(1);
    fails = false;
    await alternatives.settle();
    expect(open).toEqual(['camera: cam again']);
  });
});
