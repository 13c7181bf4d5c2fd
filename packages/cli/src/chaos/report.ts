/** The report of a run: a page for people and the same as JSON. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { arch, platform, release } from 'node:os';
import { join, resolve } from 'node:path';
import type { ChaosResult } from './chaos.ts';
import { page } from './page.ts';
import { quorateVersion } from '@quorate/server';

export interface RunFlags {
  readonly minutes: number;
  readonly servers: number;
  readonly clients: number;
  readonly rate: number;
  readonly seed: number;
  readonly only?: readonly string[];
  readonly loopback?: true;
}

/** What a report tells of a second. Milliseconds. */
export interface SecondFigures {
  readonly reads: number;
  readonly writes: number;
  readonly refused: number;
  readonly unknown: number;
  readonly p50: number | null;
  readonly p99: number | null;
}

export type ReportData = ReturnType<typeof dataOf>;

/** Returns the path of the page. */
export function writeReport(directory: string, flags: RunFlags, result: ChaosResult): string {
  mkdirSync(directory, { recursive: true });
  const data = dataOf(flags, result);
  writeFileSync(join(directory, 'report.json'), `${JSON.stringify(data, null, 1)}\n`);
  const path = join(directory, 'index.html');
  writeFileSync(path, page(data));
  return resolve(path);
}

function dataOf(flags: RunFlags, result: ChaosResult) {
  const { journal, findings, place, kinds, missing, interrupted, operations, groups, polls } = result;
  return {
    again: commandOf(flags),
    flags,
    versions: { quorate: quorateVersion, node: process.version, system: `${platform()} ${release()} ${arch()}` },
    place,
    kinds,
    missing,
    interrupted,
    operations,
    groups,
    polls,
    keys: result.keys,
    revision: result.revision,
    hashes: result.hashes,
    linearizable: result.linearizable,
    undecided: result.undecided,
    findings: findings.map(({ violation, operations: history }) => {
      const { invariant, first, second } = violation;
      return { invariant, first, second, history };
    }),
    faults: journal.faults,
    gaps: journal.gaps,
    counts: Object.fromEntries(journal.byFault),
    servers: journal.stretches,
    seconds: journal.seconds.map(({ reads, writes, refused, unknown, latencies }): SecondFigures => {
      const sorted = latencies.toSorted((a, b) => a - b);
      return { reads, writes, refused, unknown, p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99) };
    }),
  };
}

function commandOf({ minutes, servers, clients, rate, seed, only, loopback }: RunFlags): string {
  const flags = ['--minutes', minutes, '--servers', servers, '--clients', clients, '--rate', rate, '--seed', seed];
  if (only !== undefined) flags.push('--only', only.join(','));
  if (loopback === true) flags.push('--loopback');
  return `npm run chaos -- ${flags.join(' ')}`;
}

function quantile(sorted: readonly number[], part: number): number | null {
  const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];
  return value === undefined ? null : value / 1000;
}
