import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Histogram, newHistogram, putTemplate, rangeTemplate, record } from '@quorate/evaluation/load';
import type { LoadPlan } from './load.ts';

const run = promisify(execFile);
const GRPC_PREFIX = 5;
/** How much longer than planned it may take before it is called hung. */
const GRACE_MS = 30_000;
/** Its log of every request may grow to this; beyond it the run fails rather than fill the disk's quota silently. */
const MAX_OUTPUT_BYTES = 16 << 20;

export interface H2loadResult {
  readonly operations: number;
  readonly seconds: number;
  readonly latencies: Histogram;
}

/** nghttp2's load generator, written in C: the same plan, one fixed key, as an independent witness. */
export async function runH2load(command: string, plan: LoadPlan): Promise<H2loadResult> {
  const directory = await mkdtemp(join(tmpdir(), 'quorate-h2load-'));
  try {
    const body = join(directory, 'body');
    const log = join(directory, 'log');
    await writeFile(body, requestBody(plan));
    const { stdout } = await run(command, flags(plan, body, log), {
      maxBuffer: MAX_OUTPUT_BYTES,
      timeout: Math.ceil((plan.seconds + plan.warmUpSeconds) * 1000) + GRACE_MS,
    });
    refuseFailures(stdout);
    return summarise(await readFile(log, 'utf8'), plan.seconds);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function requestBody(plan: LoadPlan): Uint8Array {
  const { bytes } = plan.work === 'put' ? putTemplate(plan.valueBytes) : rangeTemplate();
  const framed = Buffer.alloc(GRPC_PREFIX + bytes.length);
  framed.writeUInt32BE(bytes.length, 1);
  framed.set(bytes, GRPC_PREFIX);
  return framed;
}

function flags(plan: LoadPlan, body: string, log: string): string[] {
  const method = plan.work === 'put' ? 'Put' : 'Range';
  return [
    `--clients=${plan.connections}`,
    `--max-concurrent-streams=${Math.ceil(plan.clients / plan.connections)}`,
    `--duration=${plan.seconds}s`,
    `--warm-up-time=${Math.round(plan.warmUpSeconds * 1000)}ms`,
    `--data=${body}`,
    `--log-file=${log}`,
    '--header=content-type: application/grpc',
    '--header=te: trailers',
    `http://${plan.host}:${plan.port}/etcdserverpb.KV/${method}`,
  ];
}

/** h2load knows HTTP statuses, not gRPC's; the caller compares the store's revision before and after. */
function refuseFailures(stdout: string): void {
  const counts = /requests: .*?(\d+) failed, (\d+) errored, (\d+) timeout/.exec(stdout);
  if (counts === null) throw new Error(`h2load printed nothing that can be read:\n${stdout}`);
  const [failed, errored, timedOut] = counts.slice(1).map(Number);
  if (failed !== 0 || errored !== 0 || timedOut !== 0) throw new Error(`h2load counted failures: ${counts[0]}`);
}

/** One line a request: start in µs since 1970, HTTP status, duration in µs. */
function summarise(log: string, seconds: number): H2loadResult {
  const latencies = newHistogram();
  let operations = 0;
  for (const line of log.split('\n')) {
    const [, status, micros] = line.split('\t');
    if (status !== '200') continue;
    record(latencies, Number(micros));
    operations++;
  }
  return { operations, seconds, latencies };
}
