import { describe, expect, it } from '@jest/globals';
import { loopbackPorts } from '../../../media/sfu/loopback.ts';

describe('the ports of the loopback', () => {
  it('are not those of phones', () => {
    expect(loopbackPorts({ min: 40_000, max: 49_999 })).toEqual({ min: 10_000, max: 39_999 });
    expect(loopbackPorts({ min: 10_000, max: 20_000 })).toEqual({ min: 20_001, max: 59_999 });
    expect(loopbackPorts({ min: 60_000, max: 65_000 })).toEqual({ min: 10_000, max: 59_999 });
  });

  it('are shared with phones that take nearly all', () => {
    expect(loopbackPorts({ min: 10_100, max: 59_900 })).toEqual({ min: 10_000, max: 59_999 });
  });
});
