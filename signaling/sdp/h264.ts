/**
 * H.264 in SDP (RFC 6184 8.1, 8.2.2): what a profile-level-id names, and what of two sides' formats both
 * can use. Pure.
 */

/** Of those that are spoken here; all others are "other", and never the same as anything. */
export type H264Profile = 'constrained-baseline' | 'baseline' | 'other';

export type PacketizationMode = 0 | 1;

/** One H.264 format of an m-line. */
export interface H264Format {
  readonly packetizationMode: PacketizationMode;
  readonly profile: H264Profile;
  /** profile_idc and profile-iop, as they were written: four hexadecimal digits. */
  readonly profileText: string;
  /** level_idc; 9 for level 1b, in whatever way it was written. */
  readonly level: number;
  readonly levelAsymmetry: boolean;
}

/** What an H.264 stream is agreed to be. */
export interface NegotiatedH264 {
  readonly packetizationMode: PacketizationMode;
  /** The highest level_idc that we may send; 9 for level 1b. */
  readonly sendLevel: number;
  /** What our description says. */
  readonly parameters: string;
}

/** What we take: it is passed on to browsers, whose offers say 42e01f (RFC 7742 6.2 asks for 3.1 or more). */
export const OUR_LEVEL = 31;
const OUR_PROFILE = '42e0';
const LEVEL_1B = 9;

/** "If no profile-level-id is present, the Baseline profile, without additional constraints at Level 1, MUST be inferred." */
const DEFAULT_PROFILE_LEVEL_ID = '42000a';

/**
 * "Combinations of profile_idc and profile-iop representing the same sub-profile" (8.1, table 5), of the
 * two that are spoken here; `x` is any bit.
 */
const PROFILES: readonly (readonly [
  idc: number,
  iop: string,
  profile: Exclude<H264Profile, 'other'>,
])[] = [
  [0x42, 'x1xx0000', 'constrained-baseline'],
  [0x4d, '1xxx0000', 'constrained-baseline'],
  [0x58, '11xx0000', 'constrained-baseline'],
  [0x42, 'x0xx0000', 'baseline'],
  [0x58, '10xx0000', 'baseline'],
];

/** Undefined when it is no format of H.264 that can be used: malformed, or packetization-mode 2. */
export function readH264(parameters: string | undefined): H264Format | undefined {
  const values = new Map(
    (parameters ?? '').split(';').map((part): [string, string] => {
      // sprop-parameter-sets are Base64, with "=" in the value.
      const at = part.indexOf('=');

      return [part.slice(0, at).trim().toLowerCase(), part.slice(at + 1).trim()];
    }),
  );
  // "When the value of packetization-mode is … not present, the single NAL unit mode MUST be used."
  const mode = values.get('packetization-mode') ?? '0';
  const id = (values.get('profile-level-id') ?? DEFAULT_PROFILE_LEVEL_ID).toLowerCase();
  if ((mode !== '0' && mode !== '1') || !/^[0-9a-f]{6}$/.test(id)) return undefined;

  return {
    packetizationMode: mode === '0' ? 0 : 1,
    profile: profileOf(id),
    profileText: id.slice(0, 4),
    level: levelOf(id),
    levelAsymmetry: values.get('level-asymmetry-allowed') === '1',
  };
}

/** What our offers say of a format. */
export function ourH264(packetizationMode: PacketizationMode): H264Format {
  return {
    packetizationMode,
    profile: 'constrained-baseline',
    profileText: OUR_PROFILE,
    level: OUR_LEVEL,
    levelAsymmetry: true,
  };
}

export function h264Parameters({
  packetizationMode,
  profileText,
  level,
  levelAsymmetry,
}: H264Format): string {
  const isWritten1b = level === LEVEL_1B && hasConstraintSet3(profileText);

  return [
    ...(levelAsymmetry ? ['level-asymmetry-allowed=1'] : []),
    `packetization-mode=${packetizationMode}`,
    `profile-level-id=${profileText}${(isWritten1b ? 11 : level).toString(16).padStart(2, '0')}`,
  ].join(';');
}

/**
 * Our answer to an offered format. The profile and the mode are kept, as "the answerer MUST either
 * maintain all configuration parameters or remove the media format"; "the level … is downgradable".
 * Undefined: a profile that nobody here sends. Plain baseline is taken: what constrained baseline leaves
 * out of it no phone sends, and all that we send is both.
 */
export function answerH264(offered: H264Format): NegotiatedH264 | undefined {
  if (offered.profile === 'other') return undefined;
  const { packetizationMode, levelAsymmetry } = offered;
  // Without level-asymmetry-allowed in both there is one level for both directions: the answer's.
  const level = levelAsymmetry ? OUR_LEVEL : lower(offered.level, OUR_LEVEL);

  return {
    packetizationMode,
    sendLevel: levelAsymmetry ? offered.level : level,
    parameters: h264Parameters({ ...offered, level }),
  };
}

/** The far end's answer to a format of ours; undefined when it is another format. */
export function acceptH264(ours: H264Format, answered: H264Format): NegotiatedH264 | undefined {
  const isSame =
    ours.packetizationMode === answered.packetizationMode && answered.profile !== 'other';
  if (!isSame) return undefined;
  const sendLevel = answered.levelAsymmetry ? answered.level : lower(answered.level, ours.level);

  return {
    packetizationMode: ours.packetizationMode,
    sendLevel,
    parameters: h264Parameters(ours),
  };
}

function profileOf(id: string): H264Profile {
  const idc = Number.parseInt(id.slice(0, 2), 16);
  const iop = Number.parseInt(id.slice(2, 4), 16).toString(2).padStart(8, '0');
  const row = PROFILES.find(
    ([of, pattern]) =>
      of === idc && [...pattern].every((bit, at) => bit === 'x' || bit === iop[at]),
  );

  return row?.[2] ?? 'other';
}

/** Level 1b is level_idc 11 with constraint_set3_flag in the profiles that are spoken here. */
function levelOf(id: string): number {
  const level = Number.parseInt(id.slice(4), 16);

  return level === 11 && hasConstraintSet3(id) ? LEVEL_1B : level;
}

function hasConstraintSet3(profileText: string): boolean {
  return (Number.parseInt(profileText.slice(2, 4), 16) & 0x10) !== 0;
}

function lower(a: number, b: number): number {
  return rank(a) <= rank(b) ? a : b;
}

/** Level 1b lies between 1 and 1.1. */
function rank(level: number): number {
  return level === LEVEL_1B ? 10.5 : level;
}
