import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { etcdProgram, LOOPBACK } from '@quorate/processes';
import { quorateProgram } from '../programs.ts';
import { Generator } from './generator-client.ts';
import { runH2load } from './h2load.ts';
import type { LoadPlan } from './load.ts';
import { failureNote, heading, line, type Row, type Sample, toSample } from './report.ts';
import { leaderPort, startTarget, type Target, viewOf } from './targets.ts';
import { atLeastOne } from '../tree/whole-number.ts';

const CLIENT_COUNTS = [1, 16, 64, 256] as const;
const CLIENTS_PER_CONNECTION = 16;
const VALUE_BYTES = 256;
const KEYS = 10_000;

interface BenchOptions {
  readonly seconds: number;
  readonly repeats: number;
  readonly servers: number;
  readonly quick: boolean;
  readonly json?: string;
  readonly only?: 'quorate' | 'etcd';
  readonly h2load: boolean;
  readonly clients: readonly number[];
}

const program = new Command('bench')
  .description('Puts this cluster and, where it is installed, an etcd cluster of the same size through the same load.')
  .option('--seconds <n>', 'measured seconds of one run', atLeastOne, 3)
  .option('--repeats <n>', 'runs of each load; the medians are printed', atLeastOne, 3)
  .option('--servers <n>', 'servers of each cluster', atLeastOne, 3)
  .option('--clients <list>', 'concurrent clients, comma-separated', clientCounts, [...CLIENT_COUNTS])
  .option('--only <target>', 'quorate or etcd alone')
  .option('--no-h2load', 'leave h2load out even where it is installed')
  .option('--json <file>', 'write every single run there')
  .option('--quick', 'one second, one run: to see that it works', false)
  .addHelpText('after', explanation());
program.parse();
await bench(program.opts<BenchOptions>());

async function bench(given: BenchOptions): Promise<void> {
  const options = given.quick ? { ...given, seconds: 1, repeats: 1 } : given;
  const directory = mkdtempSync(join(tmpdir(), 'quorate-bench-'));
  const targets: Target[] = [];
  const generator = new Generator();
  const leaveNothing = (): void => {
    // etcd does not watch its parent; whatever ends this process must end it too.
    for (const target of targets) for (const { process: server } of target.cluster.servers) void server.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  };
  process.once('exit', leaveNothing);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(130));
  try {
    await startTargets(targets, options, directory);
    await measure(targets, options, generator);
  } finally {
    generator.close();
    await Promise.all(targets.map((target) => target.cluster.killAll()));
    rmSync(directory, { recursive: true, force: true });
  }
}

async function startTargets(targets: Target[], options: BenchOptions, directory: string): Promise<void> {
  const etcd = whichVersion('etcd', ['--version']);
  if (options.only !== 'etcd') targets.push(await startTarget('quorate', quorateProgram(), directory, options.servers));
  if (options.only !== 'quorate') {
    if (etcd === null) print('etcd is not installed (Debian: etcd-server): only Quorate is measured.');
    else targets.push(await startTarget('etcd', etcdProgram('etcd'), directory, options.servers));
  }
  print(
    `${options.servers} servers a cluster, ${VALUE_BYTES}-byte values, ${KEYS} keys, load on the leader, ` +
      `medians of ${options.repeats} × ${options.seconds} s; Node ${process.version}, ${cpus().length} CPUs` +
      `${etcd === null ? '' : `, ${etcd}`}.`,
  );
}

async function measure(targets: readonly Target[], options: BenchOptions, generator: Generator): Promise<void> {
  const names = targets.map((target) => target.name);
  const h2load = options.h2load ? whichVersion('h2load', ['--version']) : null;
  if (options.h2load && h2load === null)
    print('h2load is not installed (Debian: nghttp2-client): our own generator alone.');
  for (const target of targets) await preload(target, generator);
  print(`\n${heading(names)}`);
  const rows: Row[] = [];
  const costs: number[] = [];
  for (const kind of ['raw', ...(h2load === null ? [] : (['h2load'] as const))] as const) {
    for (const work of ['put', 'range'] as const) {
      for (const clients of options.clients) {
        const row = await measureRow(targets, options, { kind, work, clients }, generator);
        rows.push(row);
        print(line(row, names));
        const note = failureNote(row);
        if (note !== null) print(note);
        for (const sample of Object.values(row.samples).flat())
          if (sample.generatorMicros !== null) costs.push(sample.generatorMicros);
      }
    }
  }
  print(
    `\nOur generator (one process, frames written by hand) cost ${Math.min(...costs).toFixed(1)} to ${Math.max(...costs).toFixed(1)} µs of CPU an operation.`,
  );
  if (options.json !== undefined)
    writeFileSync(options.json, `${JSON.stringify({ options, node: process.version, rows }, null, 2)}\n`);
}

/** Alternates between the targets, so that a change of the machine's mood meets all of them. */
async function measureRow(
  targets: readonly Target[],
  options: BenchOptions,
  load: { readonly kind: Row['generator']; readonly work: Row['work']; readonly clients: number },
  generator: Generator,
): Promise<Row> {
  const samples: Record<string, Sample[]> = {};
  for (let repeat = 0; repeat < options.repeats; repeat++) {
    for (const target of targets) {
      const plan = planFor(await leaderPort(target), load.work, load.clients, options.seconds);
      const sample = load.kind === 'raw' ? await sampleRaw(generator, plan) : await sampleH2load(plan);
      samples[target.name] = [...(samples[target.name] ?? []), sample];
    }
  }
  return { generator: load.kind, work: load.work, clients: load.clients, samples };
}

async function sampleRaw(generator: Generator, plan: LoadPlan): Promise<Sample> {
  const result = await generator.run(plan);
  return toSample(result, result.generatorMicros, result.failures);
}

async function sampleH2load(plan: LoadPlan): Promise<Sample> {
  const before = await revisionOf(plan.port);
  const result = await runH2load('h2load', plan);
  const written = (await revisionOf(plan.port)) - before;
  if (plan.work === 'put' && written < result.operations) {
    throw new Error(`h2load counted ${result.operations} puts, but the store has only ${written} new revisions.`);
  }
  return toSample(result, null, {});
}

async function revisionOf(port: number): Promise<number> {
  const view = await viewOf(port);
  if (view === null) throw new Error(`The server on port ${port} does not answer Status.`);
  return view.revision;
}

/** Every key that the reads ask for gets a value first. */
async function preload(target: Target, generator: Generator): Promise<void> {
  const port = await leaderPort(target);
  const before = await revisionOf(port);
  while ((await revisionOf(port)) - before < KEYS) await generator.run(planFor(port, 'put', 64, 1));
}

function planFor(port: number, work: LoadPlan['work'], clients: number, seconds: number): LoadPlan {
  const connections = Math.max(1, Math.ceil(clients / CLIENTS_PER_CONNECTION));
  const warmUpSeconds = Math.min(1, seconds / 3);
  return {
    host: LOOPBACK,
    port,
    work,
    clients,
    connections,
    seconds,
    warmUpSeconds,
    valueBytes: VALUE_BYTES,
    keys: KEYS,
  };
}

/** The first line that the program prints of its version; null if it is not installed. */
function whichVersion(command: string, args: readonly string[]): string | null {
  try {
    return execFileSync(command, args, { encoding: 'utf8' }).split('\n')[0] ?? command;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

function clientCounts(text: string): number[] {
  return text.split(',').map((count) => atLeastOne(count.trim()));
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

function explanation(): string {
  return `
Every client is a closed loop: it sends its next request when the last was answered. Clients share connections, ${CLIENTS_PER_CONNECTION} at
most on one. Targets take turns within each load. All servers sync to disk. The generator, h2load and all servers share this machine's
CPUs, so that a cheaper generator would raise every throughput. h2load writes one and the same key.`;
}
