// How long a file and a function may be. A longer one is fine when it says why: a line "Size: …" in its head comment.

import ts from 'typescript';

const LONGEST_FILE = 300;
const LONGEST_FUNCTION = 60;

/** What is too long in this file, in words; nothing when the file gives its reason. */
export function findOversize(source: ts.SourceFile): string[] {
  if (givesReason(source)) return [];
  const lines = source.getLineStarts().length - (source.text.endsWith('\n') ? 1 : 0);
  const file = lines > LONGEST_FILE ? [`${source.fileName} has ${lines} lines`] : [];
  return [...file, ...longFunctions(source)];
}

function givesReason(source: ts.SourceFile): boolean {
  const comments = ts.getLeadingCommentRanges(source.text, ts.getShebang(source.text)?.length ?? 0);
  const head = (comments ?? []).map(({ pos, end }) => source.text.slice(pos, end)).join('\n');
  return /^[\s/*]*Size: \S/m.test(head);
}

function longFunctions(source: ts.SourceFile): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) && !isTestSuite(node)) {
      const first = source.getLineAndCharacterOfPosition(node.getStart(source)).line;
      const last = source.getLineAndCharacterOfPosition(node.getEnd()).line;
      const lines = last - first + 1;
      if (lines > LONGEST_FUNCTION) {
        found.push(`${source.fileName}:${first + 1} has a function of ${lines} lines`);
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** The body of a `describe` is a list of tests, not one function to understand. */
function isTestSuite(node: ts.Node): boolean {
  return ts.isCallExpression(node.parent) && /^describe\b/.test(node.parent.expression.getText());
}
