import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { projectPath } from './scratch.ts';

/** Validates documents against a schema of test/fixtures; empty when all are valid. */
export function validate(schema: string, documents: readonly string[]): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'parley-xml-'));
  // What the schema imports is on the web, and defines only xml:lang, which no document here uses.
  const text = readFileSync(projectPath('test/fixtures', schema), 'utf8');
  const local = path.join(folder, 'schema.xsd');
  writeFileSync(local, text.replace(/<xs:import[^>]*\/>/, ''));
  const files = documents.map((document, i) => {
    const file = path.join(folder, `${String(i)}.xml`);
    writeFileSync(file, document);

    return file;
  });
  try {
    execFileSync('xmllint', ['--nonet', '--noout', '--schema', local, ...files], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });

    return '';
  } catch (error) {
    return (error as { stderr: Buffer }).stderr.toString();
  }
}
