import { describe, expect, it } from '@jest/globals';
import { GridPlaces } from '../../../media/grid/places.ts';

const people = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `p${index + 1}`);

describe('who is on the grid', () => {
  it('all, in the order of joining, while they fit; who speaks moves nobody', () => {
    const places = new GridPlaces();
    places.spoke(['p9']);
    expect(places.update(people(9))).toEqual(people(9));
    places.spoke(['p5']);
    expect(places.update(people(9))).toEqual(people(9));
  });

  it('who leaves frees a place, and the others keep their order', () => {
    const places = new GridPlaces();
    places.update(people(9));
    expect(places.update(['p1', 'p3', 'p9'])).toEqual(['p1', 'p3', 'p9']);
  });

  it('the first nine of more, while nobody speaks', () => {
    expect(new GridPlaces().update(people(12))).toEqual(people(9));
  });

  it('who speaks and has no place takes that of who has been silent for longest', () => {
    const places = new GridPlaces();
    places.update(people(12));
    for (const id of people(9).filter((name) => name !== 'p4')) places.spoke([id]);
    places.spoke(['p4']);
    places.spoke(['p11']);
    expect(places.update(people(12))).toEqual(['p11', ...people(9).slice(1)]);
  });

  it('a speaker who has a place stays where it is', () => {
    const places = new GridPlaces();
    places.update(people(12));
    places.spoke(['p2']);
    expect(places.update(people(12))).toEqual(people(9));
  });

  it('of several who never spoke, the last gives way', () => {
    const places = new GridPlaces();
    places.update(people(10));
    places.spoke(['p10']);
    expect(places.update(people(10))).toEqual([...people(8), 'p10']);
  });

  it('of two who speak at once the louder is sure of its place', () => {
    const places = new GridPlaces(1);
    places.update(['a', 'b', 'c']);
    places.spoke(['c', 'b']);
    expect(places.update(['a', 'b', 'c'])).toEqual(['c']);
  });

  it('the place of who left goes to who spoke last of those without one', () => {
    const places = new GridPlaces(2);
    places.spoke(['b']);
    places.spoke(['a']);
    expect(places.update(['a', 'b', 'c', 'd'])).toEqual(['a', 'b']);
    places.spoke(['d']);
    places.spoke(['b']);
    places.spoke(['a']);
    expect(places.update(['b', 'c', 'd'])).toEqual(['b', 'd']);
  });
});
