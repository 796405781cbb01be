import { describe, expect, it } from '@jest/globals';
import { acceptH264, answerH264, ourH264, readH264 } from '../../../signaling/sdp/h264.ts';

const format = (parameters: string) => readH264(parameters)!;

describe('a profile-level-id (RFC 6184 8.1, table 5)', () => {
  it.each([
    ['42e01f', 'constrained-baseline'],
    ['42c01f', 'constrained-baseline'],
    ['42C00C', 'constrained-baseline'],
    ['42401f', 'constrained-baseline'],
    ['4d801f', 'constrained-baseline'],
    ['4de01f', 'constrained-baseline'],
    ['58c01f', 'constrained-baseline'],
    ['42001f', 'baseline'],
    ['42800c', 'baseline'],
    ['42a01f', 'baseline'],
    ['58801f', 'baseline'],
    ['4d001f', 'other'],
    ['4d401f', 'other'],
    ['58401f', 'other'],
    ['64001f', 'other'],
    ['640c1f', 'other'],
    ['42e11f', 'other'],
  ])('%s is %s', (id, profile) => {
    expect(format(`profile-level-id=${id}`).profile).toBe(profile);
  });

  it('is Baseline at level 1 when there is none', () => {
    expect(readH264(undefined)).toMatchObject({ profile: 'baseline', level: 10 });
  });

  it.each(['42e01', '42e01f0', 'xyze01', ''])('of six hexadecimal digits, not "%s"', (id) => {
    expect(readH264(`profile-level-id=${id}`)).toBeUndefined();
  });

  it.each([
    ['42e01f', 31],
    ['42f00b', 9],
    ['42e00b', 11],
  ])('%s: level_idc 11 with constraint_set3 is level 1b', (id, level) => {
    expect(format(`profile-level-id=${id}`).level).toBe(level);
  });
});

describe('the packetization-mode', () => {
  it.each([
    ['', 0],
    ['packetization-mode=0', 0],
    ['packetization-mode=1', 1],
  ])('"%s": absent is the single NAL unit mode', (text, mode) => {
    expect(format(`profile-level-id=42e01f;${text}`).packetizationMode).toBe(mode);
  });

  it('2, the interleaved one, is not spoken', () => {
    expect(readH264('packetization-mode=2;profile-level-id=42e01f')).toBeUndefined();
  });
});

describe('an answer to H.264 (RFC 6184 8.2.2)', () => {
  it.each([
    ['the level of the offer is kept', '42e00c', '42e00c', 12],
    ['a higher one is downgraded', '42e028', '42e01f', 31],
    ['level 1b is below 1.1', '42f00b', '42f00b', 9],
  ])('without asymmetry %s', (_rule, offered, answered, level) => {
    const answer = answerH264(format(`packetization-mode=1;profile-level-id=${offered}`))!;
    expect(answer.parameters).toBe(`packetization-mode=1;profile-level-id=${answered}`);
    expect(answer.sendLevel).toBe(level);
  });

  it('with level-asymmetry-allowed each side says its own level', () => {
    const answer = answerH264(
      format('level-asymmetry-allowed=1; packetization-mode=0; profile-level-id=42C00C'),
    )!;
    expect(answer).toMatchObject({ packetizationMode: 0, sendLevel: 12 });
    expect(answer.parameters).toBe(
      'level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42c01f',
    );
  });

  it('removes a format of another profile', () => {
    expect(answerH264(format('packetization-mode=1;profile-level-id=64001f'))).toBeUndefined();
  });

  it('does not mind parameter sets', () => {
    const text =
      'profile-level-id=42801f; sprop-parameter-sets=Z0KAH9oBQBbpSA==,aM4G4g==; packetization-mode=1; max-fs=3600';
    expect(answerH264(format(text))!.parameters).toBe(
      'packetization-mode=1;profile-level-id=42801f',
    );
  });
});

describe('the answer to our H.264', () => {
  const answered = (parameters: string) => acceptH264(ourH264(1), format(parameters));

  it.each([
    ['packetization-mode=1;profile-level-id=42e01f', 31],
    ['packetization-mode=1;profile-level-id=42e014', 20],
    ['packetization-mode=1;profile-level-id=42e028', 31],
    ['packetization-mode=1;profile-level-id=42e028;level-asymmetry-allowed=1', 40],
  ])('%s lets us send up to level %i', (parameters, level) => {
    expect(answered(parameters)?.sendLevel).toBe(level);
  });

  it.each([
    'packetization-mode=0;profile-level-id=42e01f',
    'packetization-mode=1;profile-level-id=64001f',
  ])('of another mode or profile is none: %s', (parameters) => {
    expect(answered(parameters)).toBeUndefined();
  });
});
