import { describe, expect, it } from '@jest/globals';
import ts from 'typescript';
import { findOversize } from '../../scripts/size-rules.ts';

const oversize = (text: string): string[] =>
  findOversize(ts.createSourceFile('x.ts', text, ts.ScriptTarget.Latest, true));

const lines = (count: number): string => 'x();\n'.repeat(count);
const longFunction = `function f() {\n${lines(59)}}\n`;

describe('sizes', () => {
  it('a file of 300 lines is fine, one of 301 is not', () => {
    expect(oversize(lines(300))).toEqual([]);
    expect(oversize(lines(301))).toEqual(['x.ts has 301 lines']);
  });

  it('a function of 60 lines is fine, one of 61 is not, whatever its form', () => {
    expect(oversize(`function f() {\n${lines(58)}}\n`)).toEqual([]);
    expect(oversize(longFunction)).toEqual(['x.ts:1 has a function of 61 lines']);
    expect(oversize(`const f = () => {\n${lines(59)}};\n`)).toHaveLength(1);
    expect(oversize(`class C {\n  m() {\n${lines(59)}  }\n}\n`)).toHaveLength(1);
  });

  it('the reason in the head comment lifts both limits', () => {
    expect(oversize(`// A table.\n// Size: one table.\n${lines(301)}`)).toEqual([]);
    expect(oversize(`/**\n * Size: one table.\n */\n${longFunction}`)).toEqual([]);
  });

  it('a reason must be given, and at the head', () => {
    expect(oversize(`// Size:\n${longFunction}`)).toHaveLength(1);
    expect(oversize(`x();\n// Size: one table.\n${longFunction}`)).toHaveLength(1);
  });

  it('a describe block is a list of tests, a test in it is a function', () => {
    expect(oversize(`describe('a', () => {\n${lines(100)}});\n`)).toEqual([]);
    expect(oversize(`it('a', () => {\n${lines(100)}});\n`)).toHaveLength(1);
  });
});
