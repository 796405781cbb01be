import { describe, expect, it } from '@jest/globals';
import type { ParticipantId } from '../../base/index.ts';
import { ActiveSpeaker } from '../../server/active-speaker.ts';

const ann = 'ann' as ParticipantId;
const bob = 'bob' as ParticipantId;

const loud = (id: ParticipantId, level = -20) => ({ id, level });

describe('ActiveSpeaker', () => {
  it('makes who speaks first the active speaker at once', () => {
    const speakers = new ActiveSpeaker();

    expect(speakers.heard([loud(ann)], 0)).toMatchObject({ started: [ann], active: { id: ann } });
  });

  it('bridges the pause between two words', () => {
    const speakers = new ActiveSpeaker();
    speakers.heard([loud(ann)], 0);

    const pause = speakers.heard([], 100);
    expect(pause.stopped).toEqual([]);
    expect(pause.checkAt).toBe(600);
    expect(speakers.heard([loud(ann)], 400)).toMatchObject({ started: [], stopped: [] });
  });

  it('says that speech ended after the hold time, without a word from the media', () => {
    const speakers = new ActiveSpeaker();
    speakers.heard([loud(ann)], 0);
    speakers.heard([], 100);

    expect(speakers.update(600).stopped).toEqual([ann]);
    expect(speakers.update(700)).toMatchObject({ stopped: [], checkAt: undefined });
  });

  it('keeps the last speaker active in silence', () => {
    const speakers = new ActiveSpeaker();
    speakers.heard([loud(ann)], 0);
    speakers.heard([], 100);
    speakers.update(5000);

    expect(speakers.active).toBe(ann);
  });

  it('does not move the stage for a cough', () => {
    const speakers = new ActiveSpeaker();
    speakers.heard([loud(ann)], 0);
    speakers.heard([loud(ann, -30), loud(bob, -10)], 300);
    speakers.heard([loud(ann)], 600);
    speakers.heard([loud(ann)], 1500);

    expect(speakers.active).toBe(ann);
  });

  it('moves the stage to who was the loudest for long enough', () => {
    const speakers = new ActiveSpeaker();
    speakers.heard([loud(ann)], 0);
    const both = [loud(ann, -30), loud(bob, -10)];

    expect(speakers.heard(both, 300).checkAt).toBe(1200);
    expect(speakers.heard(both, 1200).active).toEqual({ id: bob });
  });

  it('moves the stage at once when the active speaker has stopped', () => {
    const speakers = new ActiveSpeaker();
    speakers.heard([loud(ann)], 0);
    speakers.heard([], 100);

    expect(speakers.heard([loud(bob)], 800).active).toEqual({ id: bob });
  });

  it('drops who left at once and hands the stage on', () => {
    const speakers = new ActiveSpeaker();
    speakers.heard([loud(ann, -10), loud(bob)], 0);

    expect(speakers.remove(ann, true, 10)).toMatchObject({ stopped: [ann], active: { id: bob } });
    expect(speakers.remove(bob, true, 20)).toMatchObject({ active: { id: undefined } });
  });

  it('silences who was muted but leaves the stage where it is', () => {
    const speakers = new ActiveSpeaker();
    speakers.heard([loud(ann)], 0);

    expect(speakers.remove(ann, false, 10).stopped).toEqual([ann]);
    expect(speakers.active).toBe(ann);
  });
});
