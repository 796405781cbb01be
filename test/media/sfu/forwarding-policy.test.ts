import { describe, expect, it } from '@jest/globals';
import type { LegId } from '../../../base/index.ts';
import {
  initialSpatialLayer,
  refuseConsume,
  refuseProduce,
} from '../../../media/sfu/forwarding-policy.ts';

const leg = 'l_me' as LegId;
const other = { legId: 'l_other' as LegId };

describe('who may publish what', () => {
  it.each([
    ['microphone', 'audio'],
    ['camera', 'video'],
    ['screen', 'video'],
    ['screen', 'audio'],
  ] as const)('a %s may be %s', (source, kind) => {
    expect(refuseProduce({ source, kind }, [])).toBeUndefined();
  });

  it.each([
    ['microphone', 'video'],
    ['camera', 'audio'],
  ] as const)('a %s cannot be %s', (source, kind) => {
    expect(refuseProduce({ source, kind }, [])?.code).toBe('BAD_REQUEST');
  });

  it('a leg has one stream of each source and kind', () => {
    const screen = { source: 'screen', kind: 'video' } as const;
    expect(refuseProduce(screen, [screen])?.code).toBe('INVALID_STATE');
    expect(refuseProduce({ source: 'screen', kind: 'audio' }, [screen])).toBeUndefined();
  });
});

describe('who may receive whom', () => {
  const request = { legId: leg, producer: other, alreadyConsumed: false, codecSupported: true };

  it('a stream of somebody else once, in a codec that both know', () => {
    expect(refuseConsume(request)).toBeUndefined();
  });

  it.each([
    ['of nobody', { producer: undefined }, 'NOT_FOUND'],
    ['of its own', { producer: { legId: leg } }, 'BAD_REQUEST'],
    ['twice', { alreadyConsumed: true }, 'INVALID_STATE'],
    ['in an unknown codec', { codecSupported: false }, 'BAD_REQUEST'],
  ] as const)('no stream %s', (_what, change, code) => {
    expect(refuseConsume({ ...request, ...change })?.code).toBe(code);
  });

  it('the more pictures, the smaller each begins', () => {
    expect([0, 1, 2, 5, 6, 40].map(initialSpatialLayer)).toEqual([2, 2, 1, 1, 0, 0]);
  });
});
