import { MAX_TILES } from './tiles.ts';

/**
 * Who has a place on the grid. While all fit, they stand in the order in which they joined. When
 * more are there, whoever speaks and has no place takes that of who has been silent for longest, and
 * everybody else stays where they are: a picture in which all move at each word is not watched.
 */
export class GridPlaces {
  readonly #capacity: number;
  /** Id → when it spoke last, as a running number. */
  readonly #spoke = new Map<string, number>();
  #places: readonly string[] = [];
  #now = 0;

  constructor(capacity: number = MAX_TILES) {
    this.#capacity = capacity;
  }

  /** They speak now, the loudest first. */
  spoke(ids: readonly string[]): void {
    for (const id of ids.toReversed()) this.#spoke.set(id, ++this.#now);
  }

  /** The places for these, who are given in the order in which they joined. */
  update(candidates: readonly string[]): readonly string[] {
    const there = new Set(candidates);
    for (const id of this.#spoke.keys()) if (!there.has(id)) this.#spoke.delete(id);
    this.#places =
      candidates.length <= this.#capacity ? [...candidates] : this.#choose(candidates, there);

    return this.#places;
  }

  #choose(candidates: readonly string[], there: ReadonlySet<string>): string[] {
    const places = this.#places.filter((id) => there.has(id));
    const outside = candidates
      .filter((id) => !places.includes(id))
      .sort((a, b) => this.#lastSpoke(b) - this.#lastSpoke(a));
    for (const id of outside) {
      if (places.length < this.#capacity) {
        places.push(id);
        continue;
      }
      const quietest = this.#quietest(places);
      if (this.#lastSpoke(id) <= this.#lastSpoke(places[quietest]!)) break;
      places[quietest] = id;
    }

    return places;
  }

  /** Of several who never spoke, the last. */
  #quietest(places: readonly string[]): number {
    return places.reduce(
      (best, id, index) => (this.#lastSpoke(id) <= this.#lastSpoke(places[best]!) ? index : best),
      0,
    );
  }

  #lastSpoke(id: string): number {
    return this.#spoke.get(id) ?? 0;
  }
}
