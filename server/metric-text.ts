/** What `/metrics` says beyond what prom-client can say. */
import type { MediaCounters } from '../media/index.ts';

/** prom-client has no histogram that is counted elsewhere, so this one is written by hand. */
export function mixerHistogram(counters: MediaCounters): string {
  const name = 'parley_mixer_frame_seconds';
  const { buckets, sum, count } = counters.mixerFrameSeconds;
  const lines = [
    `# HELP ${name} Time to mix one frame of a room`,
    `# TYPE ${name} histogram`,
    ...buckets
      .filter(({ le }) => Number.isFinite(le))
      .map(({ le, count: below }) => `${name}_bucket{le="${le}"} ${below}`),
    `${name}_bucket{le="+Inf"} ${count}`,
    `${name}_sum ${sum}`,
    `${name}_count ${count}`,
  ];

  return `${lines.join('\n')}\n`;
}
