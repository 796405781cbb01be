/** Ladders as RFCs draw them, read as what each end sends and gets. */
import { readFileSync } from 'node:fs';
import { projectPath } from '../support/scratch.ts';

interface DrawnStep {
  readonly frm: string | null;
  readonly to: string | null;
  readonly label: string;
  readonly media: boolean;
}

export interface Ladder {
  readonly file: string;
  readonly section: string;
  readonly title: string;
  readonly participants: readonly string[];
  readonly steps: readonly DrawnStep[];
}

export interface Step {
  readonly peer: string;
  readonly isOurs: boolean;
  /** "INVITE", "200", "NOTIFY refer" … */
  readonly label: string;
  readonly drawn: string;
}

const METHODS =
  'INVITE|ACK|BYE|CANCEL|REFER|NOTIFY|SUBSCRIBE|OPTIONS|REGISTER|PRACK|UPDATE|MESSAGE';
const LABEL = new RegExp(`(?<![\\w])(?:(${METHODS}|INV)|([1-6]\\d\\d))(?![\\w])`);
const REFER_STATE = /NOTIFY \((?:Trying|OK|\d{3}[^)]*)\)/;

export function readLadders(): Ladder[] {
  const file = projectPath('test/fixtures/rfc-ladders/ladders.json');
  const byRfc = JSON.parse(readFileSync(file, 'utf8')) as Record<string, Ladder[]>;

  return Object.values(byRfc).flat();
}

/** What `role` sends and gets. A proxy's arrow without a label passes on what came from the other side. */
export function stepsOf(ladder: Ladder, role: string, leftOut: readonly string[] = []): Step[] {
  const steps: Step[] = [];
  const drawn = ladder.steps.filter(({ media, label }) => !media && !leftOut.includes(label));
  for (const [at, step] of drawn.entries()) {
    if (step.frm !== role && step.to !== role) continue;
    const isServer = step.frm === role;
    const peer = (isServer ? step.to : step.frm) ?? '';
    const text = step.label === '' ? forwarded(drawn.slice(0, at), step) : step.label;
    for (const [index, part] of text.split('/').entries()) {
      const label = readLabel(part);
      if (label === undefined) continue;
      // "INVITE/200 OK/ACK" on one arrow: the answer goes the other way.
      const isBack = index > 0 && /^\d/.test(label);
      steps.push({ peer, isOurs: isServer !== isBack, label, drawn: part });
    }
  }
  // Provisional answers of ours are our choice.
  return steps.filter(({ isOurs, label }) => !(isOurs && /^1\d\d$/.test(label)));
}

function forwarded(before: readonly DrawnStep[], step: DrawnStep): string {
  const source = before.findLast(
    ({ frm, to, label }) => to === step.frm && frm !== step.to && label !== '',
  );

  return source?.label ?? '';
}

function readLabel(text: string): string | undefined {
  const match = LABEL.exec(text);
  if (match === null) return undefined;
  const label = match[1] ?? match[2]!;
  if (label === 'INV') return 'INVITE';
  // RFC 6665 8.3.1: "the 202 response is being deprecated … no such difference" to 200; RFC 7647 5.
  if (label === '202') return '200';
  if (label !== 'NOTIFY') return label;

  if (REFER_STATE.test(text)) return 'NOTIFY refer';

  return text.includes('terminated') ? 'NOTIFY terminated' : 'NOTIFY conference';
}
