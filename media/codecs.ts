/**
 * The audio codecs that Parley speaks, as data: what SDP says of each and how its RTP clock and its
 * samples relate. Whatever is listed here is offered, answered, decoded and encoded; nothing else.
 */

/** Names as in RFC 3551 and the IANA registry; SDP compares them case-insensitively. */
export type AudioCodecName = 'opus' | 'G722' | 'PCMU' | 'PCMA' | 'CN' | 'telephone-event';

export interface AudioCodec {
  readonly name: AudioCodecName;
  /** RTP timestamp units a second: what `a=rtpmap` says. */
  readonly clockRate: number;
  /**
   * Audio samples a second. Not always the RTP clock: "the RTP clock rate for the G722 payload
   * format is 8,000 Hz" though it samples at 16,000 Hz (RFC 3551 4.5.2).
   */
  readonly sampleRate: number;
  /** Channels as `a=rtpmap` writes them; opus always says 2, whatever is sent (RFC 7587 7). */
  readonly channels: number;
  /** The fixed number of a static codec, else the one that our own offers use. */
  readonly payloadType: number;
  /** True when RFC 3551 table 4 fixes the number, so that `a=rtpmap` may be left out. */
  readonly static: boolean;
  /** Milliseconds that its packets can hold; the first is the one that we like best. */
  readonly packetTimes: readonly number[];
  /** What our SDP puts into `a=fmtp`. */
  readonly fmtp?: string;
}

const ANY_PACKET_TIME = [20, 10, 30, 40, 50, 60] as const;

/** In the order in which our own offers list them; an answer keeps the offerer's order instead. */
export const AUDIO_CODECS: readonly AudioCodec[] = [
  {
    name: 'opus',
    clockRate: 48_000,
    sampleRate: 48_000,
    channels: 2,
    payloadType: 111,
    static: false,
    // Frames of Opus are 10, 20, 40 or 60 ms long (RFC 6716 2.1.4), but for those of less than 10.
    packetTimes: [20, 10, 40, 60],
    fmtp: 'useinbandfec=1',
  },
  {
    name: 'G722',
    clockRate: 8000,
    sampleRate: 16_000,
    channels: 1,
    payloadType: 9,
    static: true,
    packetTimes: ANY_PACKET_TIME,
  },
  {
    name: 'PCMU',
    clockRate: 8000,
    sampleRate: 8000,
    channels: 1,
    payloadType: 0,
    static: true,
    packetTimes: ANY_PACKET_TIME,
  },
  {
    name: 'PCMA',
    clockRate: 8000,
    sampleRate: 8000,
    channels: 1,
    payloadType: 8,
    static: true,
    packetTimes: ANY_PACKET_TIME,
  },
];

/** Keys pressed on a phone (RFC 4733): a payload beside the audio, with the audio's RTP clock. */
export const TELEPHONE_EVENT = 'telephone-event';

const TELEPHONE_EVENTS: readonly AudioCodec[] = [
  { clockRate: 8000, payloadType: 101 },
  { clockRate: 48_000, payloadType: 110 },
].map(({ clockRate, payloadType }) => ({
  name: TELEPHONE_EVENT,
  clockRate,
  sampleRate: clockRate,
  channels: 1,
  payloadType,
  static: false,
  packetTimes: ANY_PACKET_TIME,
  // Events 0-15: the digits, `*`, `#` and A-D (RFC 4733 3.2).
  fmtp: '0-15',
}));

/**
 * Comfort noise (RFC 3389): what a sender with voice activity detection says of the noise behind it
 * before it falls silent. Static, and "for clock rates other than 8,000 Hz" there is no number.
 */
export const COMFORT_NOISE: AudioCodec = {
  name: 'CN',
  clockRate: 8000,
  sampleRate: 8000,
  channels: 1,
  payloadType: 13,
  static: true,
  packetTimes: ANY_PACKET_TIME,
};

/** RFC 3551 section 3: numbers 96-127 are bound to a codec by `a=rtpmap` alone. */
export function isDynamicPayloadType(payloadType: number): boolean {
  return payloadType >= 96 && payloadType <= 127;
}

export function audioCodec(name: AudioCodecName): AudioCodec {
  const codec = AUDIO_CODECS.find((candidate) => candidate.name === name);
  if (codec === undefined) throw new TypeError(`no codec ${name}`);

  return codec;
}

/** The codec of an `a=rtpmap`; channels left out mean one (RFC 8866 6.6). */
export function findAudioCodec(
  encodingName: string,
  clockRate: number,
  channels = 1,
): AudioCodec | undefined {
  const wanted = encodingName.toLowerCase();

  return AUDIO_CODECS.find(
    (codec) =>
      codec.name.toLowerCase() === wanted &&
      codec.clockRate === clockRate &&
      codec.channels === channels,
  );
}

/** The codec that a payload number means when no `a=rtpmap` explains it. */
export function findStaticAudioCodec(payloadType: number): AudioCodec | undefined {
  return AUDIO_CODECS.find((codec) => codec.static && codec.payloadType === payloadType);
}

/** The telephone-event that goes with audio of `clockRate`; undefined when no audio has that clock. */
export function findTelephoneEvent(clockRate: number): AudioCodec | undefined {
  return TELEPHONE_EVENTS.find((event) => event.clockRate === clockRate);
}

/**
 * This thread's own object of a codec that another thread sent a copy of. Thousands of legs then look at
 * the same few octets, and their names are the same string.
 */
export function ownCodec(codec: AudioCodec): AudioCodec {
  const known = [...AUDIO_CODECS, ...TELEPHONE_EVENTS, COMFORT_NOISE];

  return known.find((own) => own.name === codec.name && own.clockRate === codec.clockRate) ?? codec;
}
