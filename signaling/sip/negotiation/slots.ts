/**
 * Which stream goes into which m-line. Pure. "m= lines never disappear" (RFC 3264 8), so those of
 * participants who left are used again, and their number is bounded.
 */

export type SlotKind = 'audio' | 'video';

/** One m-line of a call, in its place. */
export interface Slot {
  readonly mid: string;
  readonly kind: SlotKind;
  /** False when the peer refused it: it stays empty. */
  readonly usable: boolean;
  /** The stream that is sent in it. */
  readonly stream?: string;
}

export interface Wanted {
  readonly id: string;
  readonly kind: SlotKind;
}

export type SlotLimits = Readonly<Record<SlotKind, number>>;

export interface SlotPlanOptions {
  /** At most so many streams of a kind. */
  readonly limits: SlotLimits;
  /** Whether the m-line, as it was negotiated, can carry the stream. */
  fits(slot: Slot, id: string): boolean;
  /** False while only the m-lines of the peer's own offer can be used. */
  readonly mayAdd: boolean;
}

/**
 * The slots after the change. `wanted` is in order of importance. Streams that stay keep their m-line, so
 * that nothing moves in the peer's windows; new ones take free m-lines first.
 */
export function planSlots(
  slots: readonly Slot[],
  wanted: readonly Wanted[],
  options: SlotPlanOptions,
): Slot[] {
  const chosen = (['audio', 'video'] as const).flatMap((kind) =>
    wanted.filter((each) => each.kind === kind).slice(0, options.limits[kind]),
  );
  const keeps = new Set(chosen.map(({ id }) => id));
  const plan = slots.map((slot) =>
    slot.stream === undefined || (slot.usable && keeps.has(slot.stream)) ? slot : empty(slot),
  );
  const placed = new Set(plan.map(({ stream }) => stream));
  for (const { id, kind } of chosen) {
    if (placed.has(id)) continue;
    const free = plan.findIndex(
      (slot) =>
        slot.kind === kind && slot.usable && slot.stream === undefined && options.fits(slot, id),
    );
    if (free !== -1) plan[free] = { ...plan[free]!, stream: id };
    else if (options.mayAdd && mayGrow(plan, kind, options.limits)) {
      plan.push({ mid: newMid(plan, kind), kind, usable: true, stream: id });
    }
  }

  return plan;
}

/** M-lines that the peer refused count: who refused some is not asked for ever more. */
function mayGrow(plan: readonly Slot[], kind: SlotKind, limits: SlotLimits): boolean {
  const unused = plan.filter((slot) => slot.kind === kind && slot.stream === undefined);
  const refused = unused.filter(({ usable }) => !usable).length;
  const carried = plan.filter((slot) => slot.kind === kind).length - unused.length;

  return carried + refused < limits[kind];
}

function empty({ mid, kind, usable }: Slot): Slot {
  return { mid, kind, usable };
}

/** Of a form that no peer uses for its own: "a3", "v7". */
function newMid(plan: readonly Slot[], kind: SlotKind): string {
  const taken = new Set(plan.map(({ mid }) => mid));
  let number = plan.length;
  while (taken.has(`${kind[0]!}${number}`)) number += 1;

  return `${kind[0]!}${number}`;
}
