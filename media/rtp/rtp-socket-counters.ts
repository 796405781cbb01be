/** What went over the ports of one RTP session. */
export class RtpSocketCounters {
  rtpIn = 0;
  rtpOut = 0;
  rtcpIn = 0;
  rtcpOut = 0;
  /** Neither RTP nor RTCP. */
  invalid = 0;
  /** Valid, from somebody else than the locked source. */
  foreign = 0;
  /** Not encrypted with the peer's key, or a repetition. */
  unauthentic = 0;
  /** Not sent: no address yet, or the kernel takes no more. */
  sendDropped = 0;
  errors = 0;
  /** How often the source was followed to another address. */
  moves = 0;
}
