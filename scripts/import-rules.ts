// The layer rules of the architecture, as a pure function over "this file imports that": see docs/architecture.md for the
// reasons. scripts/check-imports.ts reads the files and prints.

/** One import as it stands in a file. */
export interface Import {
  readonly specifier: string;
  readonly typeOnly: boolean;
}

export type SourceFiles = ReadonlyMap<string, readonly Import[]>;

export interface Violation {
  readonly file: string;
  readonly message: string;
}

/** What one area of the tree may import of others. An area is the longest prefix that matches a path. */
interface Area {
  readonly prefix: string;
  /** Areas (by prefix) that may be imported; the own area always may. */
  readonly may: readonly string[];
  /** Areas of which only types may be imported. */
  readonly mayTypes?: readonly string[];
}

const LOWER_SIP = [
  'message',
  'transport',
  'trace',
  'transaction',
  'locating',
  'dialog',
  'ua',
  'event',
  'negotiation',
].map((name) => `signaling/sip/${name}/`);
/** From here on upwards SDP is known. */
const WITH_SDP = LOWER_SIP.indexOf('signaling/sip/dialog/');
const ENTRY = 'server/main.ts';
const PROTOCOL = 'signaling/websocket/protocol.ts';

/** `gateway` stands for gateway.ts and the files or the folder that it may be split into. */
const GATEWAY = ['signaling/sip/gateway', 'signaling/sip/reason-map.ts', 'signaling/sip/focus/'];
/** They take types of server/: what is stored of accounts and trunks. */
const BOOK_READERS = ['signaling/sip/registrar/', 'signaling/sip/trunk/'];
/** What joins the layers of the SIP front end: every file directly in its folder. */
const SIP = {
  may: [...LOWER_SIP, 'signaling/sip/', ...GATEWAY, ...BOOK_READERS, 'signaling/sdp/', 'base/'],
  mayTypes: ['media/'],
};

const AREAS: readonly Area[] = [
  { prefix: 'base/', may: [] },
  { prefix: 'media/', may: ['base/'] },
  { prefix: 'server/', may: ['media/', 'base/'] },
  { prefix: 'signaling/sdp/', may: ['media/', 'base/'] },
  { prefix: 'signaling/websocket/', may: ['server/', 'base/'] },
  ...LOWER_SIP.map((prefix, level) => ({
    prefix,
    may: [...LOWER_SIP.slice(0, level), 'base/', ...(level >= WITH_SDP ? ['signaling/sdp/'] : [])],
    mayTypes: level >= WITH_SDP ? ['media/'] : [],
  })),
  ...GATEWAY.map((prefix) => ({ ...SIP, prefix, may: [...SIP.may, 'server/'] })),
  ...BOOK_READERS.map((prefix) => ({ ...SIP, prefix, mayTypes: [...SIP.mayTypes, 'server/'] })),
  { ...SIP, prefix: 'signaling/sip/' },
  { prefix: 'web/', may: [], mayTypes: [PROTOCOL] },
];

/**
 * Files that others may import although their folder has an index.ts. The tables of codecs and suites are data, and need nothing of media; the
 * web app takes the protocol without the server's side of it.
 */
const SURFACES: Readonly<Record<string, string>> = {
  'media/codecs.ts': 'signaling/sdp/',
  'media/srtp/suites.ts': 'signaling/sdp/',
  [PROTOCOL]: 'web/',
};

/** npm packages that only some places may know, so that they can be exchanged. */
const KEPT_PACKAGES: readonly { name: string; only: readonly string[] }[] = [
  { name: 'sdp-transform', only: ['signaling/sdp/'] },
  { name: 'prom-client', only: ['server/metrics.ts'] },
  { name: 'ioredis', only: ['server/store/', 'server/jobs/', ENTRY] },
  { name: 'redis', only: ['server/store/', 'server/jobs/', ENTRY] },
  { name: 'bull', only: ['server/store/', 'server/jobs/', ENTRY] },
  { name: 'socket.io', only: ['signaling/websocket/', ENTRY] },
];

/** Folders that stand outside the product: they may import any layer. */
const OUTSIDE = ['bench/', 'scripts/', 'test/'];

/** Every violation of the rules in these files. */
export function findViolations(files: SourceFiles): Violation[] {
  const violations: Violation[] = [];
  for (const [file, imports] of files) {
    for (const entry of imports) {
      const message = entry.specifier.startsWith('.')
        ? checkRelative(file, entry, files)
        : checkPackage(file, entry);
      if (message !== undefined) violations.push({ file, message });
    }
  }
  return [...violations, ...findCycles(files)];
}

/** The path that a relative import means, from the root of the checkout. */
export function resolveImport(file: string, specifier: string): string {
  const parts = file.split('/').slice(0, -1);
  for (const part of specifier.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.') parts.push(part);
  }
  return parts.join('/');
}

function checkRelative(file: string, entry: Import, files: SourceFiles): string | undefined {
  const target = resolveImport(file, entry.specifier);
  if (!/\.tsx?$/.test(target)) return undefined;
  if (!files.has(target)) return `imports ${target}, which does not exist`;
  if (target === ENTRY) return `imports ${ENTRY}, the composition root, which nobody imports`;
  return checkLayer(file, target, entry.typeOnly) ?? checkDepth(file, target, files);
}

function checkLayer(file: string, target: string, typeOnly: boolean): string | undefined {
  if (file === ENTRY || isOutside(file)) return undefined;
  const from = areaOf(file);
  if (!from) return `${file} is in no layer of scripts/import-rules.ts`;
  const to = areaOf(target)?.prefix;
  if (to !== undefined && (from.prefix === to || from.may.includes(to))) return undefined;
  const asTypes = from.mayTypes?.some((name) => name === to || name === target) ?? false;
  if (asTypes && typeOnly) return undefined;
  const rule = asTypes ? 'only types of it (import type)' : 'not allowed by the layers';
  return `imports ${target}: ${rule}`;
}

/**
 * A folder is entered through its index.ts by everybody outside it. The folder in question is the outermost one on the way to
 * the target that does not hold the importing file; folders without files of their own (like `signaling/`) do not count.
 */
function checkDepth(file: string, target: string, files: SourceFiles): string | undefined {
  const surfaceFor = SURFACES[target];
  if (file.startsWith('test/') || (surfaceFor && file.startsWith(surfaceFor))) return undefined;
  const folder = foldersOf(target).find((name) => !file.startsWith(name) && hasFiles(name, files));
  if (folder === undefined || target === `${folder}index.ts`) return undefined;
  if (!files.has(`${folder}index.ts`)) {
    return isOutside(folder) || folder.startsWith('web/')
      ? undefined
      : `imports ${target}, but ${folder} has no index.ts`;
  }
  return `imports ${target} past ${folder}index.ts`;
}

function checkPackage(file: string, { specifier }: Import): string | undefined {
  if (isOutside(file)) return undefined;
  const kept = KEPT_PACKAGES.find(
    ({ name }) => specifier === name || specifier.startsWith(`${name}/`),
  );
  if (!kept || kept.only.some((place) => file.startsWith(place))) return undefined;
  return `imports the package ${kept.name}, which only ${kept.only.join(', ')} may`;
}

function areaOf(path: string): Area | undefined {
  return AREAS.filter(({ prefix }) => path.startsWith(prefix)).sort(
    (a, b) => b.prefix.length - a.prefix.length,
  )[0];
}

const isOutside = (path: string): boolean => OUTSIDE.some((folder) => path.startsWith(folder));

/** `a/b/c.ts` → `a/`, `a/b/`. */
function foldersOf(path: string): string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, index) => `${parts.slice(0, index + 1).join('/')}/`);
}

function hasFiles(folder: string, files: SourceFiles): boolean {
  for (const file of files.keys()) {
    if (file.startsWith(folder) && !file.slice(folder.length).includes('/')) return true;
  }
  return false;
}

/** One violation for each ring of imports that a walk in depth meets. */
function findCycles(files: SourceFiles): Violation[] {
  const violations: Violation[] = [];
  const state = new Map<string, 'open' | 'done'>();
  const path: string[] = [];

  const visit = (file: string): void => {
    state.set(file, 'open');
    path.push(file);
    for (const target of relativeTargets(file, files)) {
      const seen = state.get(target);
      if (seen === undefined) visit(target);
      if (seen === 'open') violations.push(cycle([...path.slice(path.indexOf(target)), target]));
    }
    path.pop();
    state.set(file, 'done');
  };

  for (const file of files.keys()) {
    if (!state.has(file)) visit(file);
  }
  return violations;
}

function relativeTargets(file: string, files: SourceFiles): string[] {
  const relative = (files.get(file) ?? []).filter(({ specifier }) => specifier.startsWith('.'));
  return relative
    .map(({ specifier }) => resolveImport(file, specifier))
    .filter((target) => files.has(target));
}

function cycle(ring: readonly string[]): Violation {
  return { file: ring[0] ?? '', message: `imports itself: ${ring.join(' → ')}` };
}
