/** On what an experiment ran: without it no figure means anything. */
import { execFileSync } from 'node:child_process';
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { arch, cpus, platform, release, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { median } from '../data/statistics.ts';

export interface Conditions {
  readonly system: string;
  readonly processors: string;
  readonly memoryGiB: number;
  readonly node: string;
  readonly quorate: string;
  /** What git says of the sources; null where they are no checkout. */
  readonly source: string | null;
  readonly etcd: string | null;
  /** The median of some writes of 256 bytes with fdatasync, where the servers keep their data. Milliseconds. */
  readonly syncMs: number;
}

/** The same of a host that servers ran on. */
export interface HostConditions extends Conditions {
  readonly host: string;
  readonly address: string;
}

const SYNCS = 50;

/** `data`: the directory that servers' data will stand in. */
export function conditionsOf(version: string, data: string): Conditions {
  const all = cpus();
  return {
    system: `${platform()} ${release()} ${arch()}`,
    processors: `${all.length} × ${all[0]?.model.trim() ?? 'unknown'}`,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    quorate: version,
    source: firstLine('git', ['-C', dirname(fileURLToPath(import.meta.url)), 'describe', '--always', '--dirty']),
    etcd: etcdVersion(),
    syncMs: measureSync(data),
  };
}

/** The first line that etcd prints of its version; null where it is not installed. */
export function etcdVersion(): string | null {
  return firstLine('etcd', ['--version']);
}

function firstLine(command: string, args: readonly string[]): string | null {
  try {
    const text = execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    return text.split('\n')[0] ?? null;
  } catch {
    // Not installed, or not a checkout: the report says that it is not known.
    return null;
  }
}

function measureSync(parent: string): number {
  const directory = mkdtempSync(join(parent, 'quorate-sync-'));
  const descriptor = openSync(join(directory, 'file'), 'w');
  try {
    const times = Array.from({ length: SYNCS }, () => {
      const began = performance.now();
      writeSync(descriptor, Buffer.alloc(256, 1));
      fdatasyncSync(descriptor);
      return performance.now() - began;
    });
    return Math.round(median(times) * 1000) / 1000;
  } finally {
    closeSync(descriptor);
    rmSync(directory, { recursive: true });
  }
}
