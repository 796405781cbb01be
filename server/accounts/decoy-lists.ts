import type { DigestAlgorithm } from '../config.ts';

type List = readonly DigestAlgorithm[] | undefined;

/**
 * Which challenges a name without an account is shown, of the lists that accounts have (`undefined`: the
 * server's own). A stranger who asks for name after name must see each list as often among names that
 * nobody has as among accounts, and the same one each time, or the list tells which is which.
 */
export class DecoyLists {
  readonly #lists: readonly List[];

  /** One entry for each account, in any order. */
  constructor(ofAccounts: readonly List[]) {
    this.#lists = ofAccounts.toSorted((a, b) => nameOf(a).localeCompare(nameOf(b)));
  }

  /** `share`: 0 up to 1, the name's own and secret. */
  pick(share: number): List {
    return this.#lists[Math.floor(share * this.#lists.length)];
  }
}

function nameOf(list: List): string {
  return list?.join() ?? '';
}
