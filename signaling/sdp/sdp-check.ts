/**
 * The strict look at SDP text before anything interprets it (RFC 8866 5 and 9): bounds, line shapes,
 * required lines and their order. The reader behind it rejects nothing, so everything that must be
 * refused is refused here.
 */

/** Why a text is not a session description; a value, as bad input from a peer is no fault of ours. */
export class SdpError extends Error {
  override readonly name = 'SdpError';
}

export interface SdpLine {
  readonly type: string;
  readonly value: string;
}

/** The lines of a text, known to be well-formed, by section. */
export interface CheckedSdp {
  readonly session: readonly SdpLine[];
  readonly media: readonly (readonly SdpLine[])[];
}

export const SDP_LIMITS = {
  octets: 65_536,
  lineLength: 8192,
  mediaSections: 128,
  attributesPerSection: 512,
} as const;

/** Unsigned, at most 20 digits: RFC 8866 5.2 asks for 64-bit NTP values, which are not numbers here. */
const ORIGIN = /^\S+ \d{1,20} \d{1,20} IN (?:IP4|IP6) \S+ *$/;
const CONNECTION = /^IN (?:IP4|IP6) \S+ *$/;
/** Examples of RFCs themselves have stray spaces here. */
const TIMING = /^ *\d{1,15} +\d{1,15} *$/;
/** The format list may be missing on a refused stream of a careless peer. */
const MEDIA = /^[\w!#$%&'*+.^`{|}~-]+ (\d{1,5})(?:\/\d{1,5})? [\w!#$%&'*+.^`{|}~/-]+(?: +\S+)* *$/;

const SESSION_TYPES = 'vosiuepcbtrzka';
const MEDIA_TYPES = 'micbka';

/** Splits and checks; never throws. */
export function checkSdp(text: string): CheckedSdp | SdpError {
  if (text.length > SDP_LIMITS.octets) return new SdpError('too long');
  const session: SdpLine[] = [];
  const media: SdpLine[][] = [];
  let section = session;
  for (const raw of bodyLines(text)) {
    const line = checkLine(raw);
    if (line instanceof SdpError) return line;
    if (line.type === 'm') {
      if (media.length === SDP_LIMITS.mediaSections) return new SdpError('too many m= lines');
      section = [];
      media.push(section);
    }
    const allowed = section === session ? SESSION_TYPES : MEDIA_TYPES;
    // "an SDP parser MUST completely ignore or reject any session description that contains a type
    // letter that it does not understand" (RFC 8866 5).
    if (!allowed.includes(line.type)) return new SdpError(`unexpected ${line.type}= line`);
    section.push(line);
  }
  const fault =
    checkSession(session) ?? checkConnections(session, media) ?? checkSizes([session, ...media]);

  return fault ?? { session, media };
}

/**
 * "parsers SHOULD be tolerant and also accept lines terminated with a single newline character"
 * (RFC 8866 5); empty lines are tolerated at the end only.
 */
function bodyLines(text: string): string[] {
  const lines = text.split('\n').map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
  while (lines.at(-1) === '') lines.pop();

  return lines;
}

function checkLine(raw: string): SdpLine | SdpError {
  if (raw.length > SDP_LIMITS.lineLength) return new SdpError('line too long');
  if (raw[1] !== '=') return new SdpError('a line is not <type>=<value>');
  const line = { type: raw[0]!, value: raw.slice(2) };
  if (/[\0\r]/.test(raw)) return new SdpError(`NUL or CR inside a ${line.type}= line`);
  const valid = isValidValue(line);

  return valid ? line : new SdpError(`malformed ${line.type}= line`);
}

function isValidValue({ type, value }: SdpLine): boolean {
  switch (type) {
    case 'v':
      return value.trimEnd() === '0';
    case 'o':
      return ORIGIN.test(value);
    case 'c':
      return CONNECTION.test(value);
    case 't':
      return TIMING.test(value);
    case 'm':
      return Number(MEDIA.exec(value)?.[1] ?? Infinity) <= 65_535;
    default:
      return true;
  }
}

/** v=, o= and s= come first in this order, t= after them; each of the three occurs once. */
function checkSession(session: readonly SdpLine[]): SdpError | undefined {
  const types = session.map((line) => line.type).join('');
  if (!types.startsWith('vos')) return new SdpError('does not start with v=, o=, s=');
  if (/[vos]/.test(types.slice(3))) return new SdpError('v=, o= or s= repeated');
  if (!types.includes('t')) return new SdpError('no t= line');

  return undefined;
}

/** "A session description MUST contain either at least one c= field in each media description or a
 * single c= field at the session level" (RFC 8866 5.7); a refused stream needs none. */
function checkConnections(
  session: readonly SdpLine[],
  media: readonly (readonly SdpLine[])[],
): SdpError | undefined {
  if (session.some((line) => line.type === 'c')) return undefined;
  const bare = media.some(
    (section) =>
      !section.some((line) => line.type === 'c') && !/^\S+ 0+[ /]/.test(section[0]!.value),
  );

  return bare ? new SdpError('no c= line for a media section') : undefined;
}

function checkSizes(sections: readonly (readonly SdpLine[])[]): SdpError | undefined {
  const tooLarge = sections.some(
    (section) =>
      section.filter((line) => line.type === 'a').length > SDP_LIMITS.attributesPerSection,
  );

  return tooLarge ? new SdpError('too many attributes') : undefined;
}
