/** What may be read but not copied into the project: beside the checkout, where it is there. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { projectPath, scratchFolder } from '../support/scratch.ts';

export const CORPORA = projectPath('../shared/corpora');

export interface Sample {
  readonly name: string;
  readonly bytes: Buffer;
}

/** Why the samples of these folders are not there; undefined when they are. */
export function missing(...folders: string[]): string | undefined {
  const absent = folders.filter((folder) => !existsSync(path.join(CORPORA, folder)));

  return absent.length === 0 ? undefined : `no ${absent.join(', ')} beside the checkout`;
}

/** All files of these folders, whatever they hold. */
export function samples(...folders: string[]): Sample[] {
  return folders.flatMap((folder) => {
    const root = path.join(CORPORA, folder);

    return readdirSync(root, { recursive: true, encoding: 'utf8' })
      .sort()
      .filter((name) => statSync(path.join(root, name)).isFile())
      .map((name) => ({
        name: `${folder}/${name}`,
        bytes: readFileSync(path.join(root, name)),
      }));
  });
}

export interface ProtosCase {
  readonly name: string;
  /** The INVITE and its teardown, with tags to be filled in. */
  readonly messages: readonly Buffer[];
}

/** PROTOS c07-sip: each case is a file of two netstrings `<length> <octets>`. */
export function protosCases(): ProtosCase[] {
  const folder = scratchFolder('protos');
  const archive = path.join(CORPORA, 'protos-c07-sip/testcases.tar.xz');
  execFileSync('tar', ['-xJf', archive, '-C', folder]);
  const root = path.join(folder, 'testcases');

  return readdirSync(root)
    .sort()
    .map((name) => ({ name, messages: netstrings(readFileSync(path.join(root, name))) }));
}

function netstrings(bytes: Buffer): Buffer[] {
  const found: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const digits = /^\s*(\d+) /.exec(bytes.subarray(at, at + 16).toString('latin1'));
    if (digits === null) break;
    const start = at + digits[0].length;
    const end = start + Number(digits[1]);
    found.push(bytes.subarray(start, end));
    at = end;
  }

  return found;
}
