/** What phones with one picture see: who speaks, or all at once. */
import type { GridPlan } from '../media/index.ts';
import type { LayoutView, VideoLayout } from './ports.ts';
import type { RoomMembers } from './room-members.ts';

/** Who wishes for a grid where there is none sees who speaks. */
export function layoutView(layout: VideoLayout, gridReason: string | undefined): LayoutView {
  if (layout === 'speaker' || gridReason === undefined) return { layout, effectiveLayout: layout };

  return { layout, effectiveLayout: 'speaker', layoutReason: gridReason };
}

/** Everybody may be on the grid; those see it who wish for it, or whose room does. */
export function gridPlan(members: Pick<RoomMembers, 'joinedLegs'>, layout: VideoLayout): GridPlan {
  const joined = members.joinedLegs();

  return {
    members: joined.map(({ legId, member }) => ({ legId, name: member.name })),
    viewers: joined
      .filter(({ member }) => member.kind === 'phone' && (member.layout ?? layout) === 'grid')
      .map(({ legId }) => legId),
  };
}
