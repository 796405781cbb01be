/** What happened to the packets of one stream since its leg began. */
export class JitterCounters {
  pushed = 0;
  played = 0;
  /** Pulls that had to be concealed. */
  missing = 0;
  late = 0;
  duplicates = 0;
  /** Left out to catch up. */
  dropped = 0;
  /** Packets that were played a little longer, or shorter. */
  lengthened = 0;
  shortened = 0;
  resets = 0;
}
