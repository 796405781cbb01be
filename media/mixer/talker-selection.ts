/** What the choice of talkers looks at. */
export interface TalkerCandidate {
  /** dBov. */
  readonly level: number;
  /** Was chosen for the frame before this one. */
  talking: boolean;
}

/** So many voices at once are all that anybody can follow; more would only raise the noise. */
export const MAX_TALKERS = 8;
/** Who talks already keeps the place against somebody that little louder. */
const INCUMBENT_BONUS_DB = 6;

/**
 * Leaves the loudest `limit` of `candidates` in it, loudest first. In place, without allocation;
 * an insertion pass over a short list that is nearly sorted from the last time.
 */
export function keepLoudest<T extends TalkerCandidate>(candidates: T[], limit = MAX_TALKERS): void {
  let kept = 0;
  for (let i = 0; i < candidates.length; i++) {
    const candidate = candidates[i]!;
    const score = scoreOf(candidate);
    let position = kept;
    while (position > 0 && scoreOf(candidates[position - 1]!) < score) position--;
    if (position >= limit) continue;
    kept = Math.min(kept + 1, limit);
    for (let j = kept - 1; j > position; j--) candidates[j] = candidates[j - 1]!;
    candidates[position] = candidate;
  }
  candidates.length = kept;
}

function scoreOf(candidate: TalkerCandidate): number {
  return candidate.talking ? candidate.level + INCUMBENT_BONUS_DB : candidate.level;
}
