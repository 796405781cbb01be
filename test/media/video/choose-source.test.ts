import { describe, expect, it } from '@jest/globals';
import type { LegId, ProducerId } from '../../../base/index.ts';
import {
  chooseSource,
  HOLD_MS,
  holdLeft,
  type VideoChoice,
  type VideoSource,
  type VideoViewer,
} from '../../../media/video/choose-source.ts';
import { chooseLayer } from '../../../media/video/spatial-layer.ts';

const leg = (name: string): LegId => name as LegId;
const camera = (name: string, codec: VideoSource['codec'] = 'H264'): VideoSource => ({
  id: `${name}-camera` as ProducerId,
  legId: leg(name),
  source: 'camera',
  codec,
});
const screen = (name: string): VideoSource => ({
  ...camera(name),
  id: `${name}-screen` as ProducerId,
  source: 'screen',
});
const viewer = (changes: Partial<VideoViewer> = {}): VideoViewer => ({
  legId: leg('viewer'),
  content: 'main',
  codec: 'H264',
  hasSlides: false,
  wantsGrid: false,
  ...changes,
});

function chosen(changes: Partial<VideoChoice>): string | undefined {
  const choice = {
    viewer: viewer(),
    sources: [camera('ann'), camera('bob'), camera('viewer')],
    speakers: [],
    shown: undefined,
    avoided: new Set<ProducerId>(),
    ...changes,
  };

  return chooseSource(choice)?.id;
}

describe('what a phone with one picture is shown', () => {
  it('is who speaks', () => {
    expect(chosen({ speakers: [leg('bob'), leg('ann')] })).toBe('bob-camera');
  });

  it('is who spoke before, for the speaker itself', () => {
    const speakers = [leg('viewer'), leg('bob'), leg('ann')];
    expect(chosen({ speakers })).toBe('bob-camera');
  });

  it('is who spoke before, when the speaker has no camera', () => {
    expect(chosen({ speakers: [leg('carl'), leg('bob')] })).toBe('bob-camera');
  });

  it('stays while nobody with a camera has spoken, and is the first one at the beginning', () => {
    expect(chosen({})).toBe('ann-camera');
    expect(chosen({ shown: camera('bob').id, speakers: [leg('carl')] })).toBe('bob-camera');
  });

  it('is never a stream of another codec, and nothing when there is no other', () => {
    const sources = [camera('ann', 'VP8'), camera('bob')];
    expect(chosen({ sources, speakers: [leg('ann')] })).toBe('bob-camera');
    expect(chosen({ sources, viewer: viewer({ codec: 'VP8' }) })).toBe('ann-camera');
    expect(chosen({ sources: [camera('ann', 'VP8')] })).toBeUndefined();
  });

  it('is what somebody shares, the latest of several, unless it has a stream for that', () => {
    const sources = [screen('ann'), camera('ann'), screen('bob'), camera('bob')];
    const speakers = [leg('ann')];
    expect(chosen({ sources, speakers })).toBe('bob-screen');
    expect(chosen({ sources, speakers, viewer: viewer({ hasSlides: true }) })).toBe('ann-camera');
  });

  it('is shared screens alone in a stream of slides', () => {
    const slides = viewer({ content: 'slides', hasSlides: true });
    expect(chosen({ viewer: slides })).toBeUndefined();
    expect(chosen({ viewer: slides, sources: [camera('ann'), screen('bob')] })).toBe('bob-screen');
  });

  it('is all at once where that is wished for, in a stream of slides still what is shared', () => {
    const grid: VideoSource = { ...camera(''), id: 'grid' as ProducerId, source: 'grid' };
    const sources = [camera('ann'), screen('bob'), grid];
    const wantsGrid = viewer({ wantsGrid: true });
    expect(chosen({ sources, speakers: [leg('ann')], viewer: wantsGrid })).toBe('grid');
    expect(chosen({ sources, viewer: { ...wantsGrid, content: 'slides' } })).toBe('bob-screen');
    expect(chosen({ sources, viewer: viewer({ hasSlides: true }) })).toBe('ann-camera');
    expect(chosen({ sources: [camera('ann')], viewer: wantsGrid })).toBe('ann-camera');
  });

  it('is not a source that brought no key frame, unless it is shown already', () => {
    const avoided = new Set([camera('ann').id]);
    const speakers = [leg('ann')];
    expect(chosen({ avoided, speakers })).toBe('bob-camera');
    expect(chosen({ avoided, speakers, shown: camera('ann').id })).toBe('ann-camera');
  });
});

describe('no flapping', () => {
  it('a camera is shown for a while before the next one', () => {
    expect(holdLeft(camera('ann'), camera('bob'), 1000, 1000)).toBe(HOLD_MS);
    expect(holdLeft(camera('ann'), camera('bob'), 1000, 1000 + HOLD_MS)).toBe(0);
  });

  it('a shared screen and the first picture come at once', () => {
    expect(holdLeft(camera('ann'), screen('bob'), 1000, 1001)).toBe(0);
    expect(holdLeft(screen('bob'), camera('ann'), 1000, 1001)).toBe(0);
    expect(holdLeft(undefined, camera('ann'), 1000, 1001)).toBe(0);
  });
});

describe('the simulcast layer', () => {
  const layers = [{ maxBitrate: 150_000 }, { maxBitrate: 500_000 }, { maxBitrate: 1_500_000 }];

  it('is the highest that fits into what the phone takes', () => {
    expect(chooseLayer(layers, undefined)).toBe(2);
    expect(chooseLayer(layers, 1_500_000)).toBe(2);
    expect(chooseLayer(layers, 768_000)).toBe(1);
    expect(chooseLayer(layers, 64_000)).toBe(0);
  });

  it('of a sender that does not say what they take is taken for a usual one', () => {
    expect(chooseLayer([{}, {}, {}], 600_000)).toBe(1);
    expect(chooseLayer([{}], 64_000)).toBe(0);
    expect(chooseLayer([], 64_000)).toBe(0);
  });
});
