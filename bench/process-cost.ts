/** CPU time and memory of a program and all that it started, from /proc. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

export interface ProcessCost {
  /** Seconds. */
  cpu: number;
  /** Octets that belong to it alone or in proportion (RSS). */
  memory: number;
  threads: number;
}

export function costOf(pid: number): ProcessCost {
  const cost: ProcessCost = { cpu: 0, memory: 0, threads: 0 };
  for (const each of withChildren(pid)) {
    cost.cpu += cpuSeconds(each);
    cost.memory += residentOctets(each);
    cost.threads += list(`/proc/${each}/task`).length;
  }

  return cost;
}

function withChildren(pid: number): number[] {
  const children = list(`/proc/${pid}/task`).flatMap((task) =>
    read(`/proc/${pid}/task/${task}/children`)
      .split(' ')
      .filter((word) => word !== '')
      .map(Number),
  );

  return [pid, ...children.flatMap(withChildren)];
}

/** utime and stime in ticks of 10 ms, threads that have ended included. */
function cpuSeconds(pid: number): number {
  const fields = read(`/proc/${pid}/stat`).split(') ').at(-1)?.split(' ') ?? [];

  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / 100;
}

function residentOctets(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1];

  return Number(kilobytes ?? 0) * 1024;
}

/** Seconds of all cores that other machines on the same host took from this one. */
export function stolenSeconds(): number {
  return Number(read('/proc/stat').split('\n')[0]?.split(/\s+/)[8] ?? 0) / 100;
}

/** Where the kernel groups processes by session (autogroup), nice counts only among those of one. */
export function setSessionNice(nice: number): void {
  try {
    writeFileSync('/proc/self/autogroup', String(nice));
  } catch {
    // Without the right to it, or without groups, the marks of disturbed runs have to do.
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    // It has ended.
    return '';
  }
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
