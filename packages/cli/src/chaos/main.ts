/** `npm run chaos`: real servers under faults, and whether what clients saw can be explained. */
import { Command, InvalidArgumentError } from 'commander';
import { chaos, type ChaosResult } from './chaos.ts';
import { type FaultKind, faultKinds } from './faults.ts';
import { writeReport } from './report.ts';

interface Flags {
  readonly minutes: number;
  readonly servers: number;
  readonly clients: number;
  readonly rate: number;
  readonly seed: number;
  readonly only?: readonly FaultKind[];
  readonly loopback?: true;
  readonly report: string;
}

const EXIT_VIOLATION = 1;
const EXIT_UNDECIDED = 3;
const MAX_MINUTES = 24 * 60;
/** Of the progress lines, where they are not overwritten. */
const PROGRESS_EVERY = 30;
let progressCalls = 0;

const program = new Command('chaos')
  .description(
    'Runs real servers under partitions, pauses, kills and full disks, writes down what clients see, and checks that it can be ' +
      'explained. As root on Linux each server gets a network namespace and a disk of its own; elsewhere all is done on loopback.',
  )
  .option('--minutes <n>', 'how long', minutes, 1)
  .option('--servers <n>', 'servers, from 3 to 9', whole(3, 9), 5)
  .option('--clients <n>', 'clients, from 1 to 64', whole(1, 64), 12)
  .option('--rate <n>', 'calls a second that all clients together aim at', whole(1, 10_000), 400)
  .option('--seed <n>', 'of the faults and the calls', whole(0, Number.MAX_SAFE_INTEGER), Date.now() % 1_000_000)
  .option('--only <kinds>', `only these faults, by commas: ${faultKinds.join(', ')}`, kindsFrom)
  .option('--loopback', 'no namespaces and no mounts, even as root')
  .option('--report <directory>', 'where the report is written', 'chaos-report')
  .parse();

const flags = program.opts<Flags>();
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    // Once more changes nothing: the servers, namespaces and mounts must go first, and they do so in seconds.
    if (!stop.signal.aborted) say(`${signal}: the faults end here; what was seen so far is judged`);
    stop.abort();
  });
}

say(`seed ${flags.seed}`);
const result = await chaos({
  ...flags,
  seconds: flags.minutes * 60,
  only: flags.only ?? null,
  loopback: flags.loopback ?? false,
  report: say,
  progress,
  stop: stop.signal,
});
const page = writeReport(flags.report, flags, result);
say(verdict(result));
say(`report: ${page}`);
if (result.kept !== null) say(`logs and data: ${result.kept}`);
process.exitCode = result.findings.length > 0 ? EXIT_VIOLATION : result.undecided.length > 0 ? EXIT_UNDECIDED : 0;

function verdict({ findings, undecided, operations, linearizable, revision }: ChaosResult): string {
  if (findings.length > 0) return `${findings.length} violations in ${operations} operations`;
  const open = undecided.length === 0 ? '' : `; ${undecided.length} parts were too hard to decide, which is no pass`;
  return `no violation in ${operations} operations up to revision ${revision}: ${linearizable} parts linearizable${open}`;
}

function minutes(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= MAX_MINUTES))
    throw new InvalidArgumentError(`Expected minutes, more than 0 and at most ${MAX_MINUTES}.`);
  return value;
}

function whole(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`Expected a whole number from ${min} to ${max}.`);
  };
}

function kindsFrom(text: string): readonly FaultKind[] {
  return text.split(',').map((word) => {
    const kind = faultKinds.find((each) => each === word.trim());
    if (kind === undefined)
      throw new InvalidArgumentError(`There is no fault "${word}"; choose from ${faultKinds.join(', ')}.`);
    return kind;
  });
}

/** On a terminal one line that changes; elsewhere a line now and then. */
function progress(line: string): void {
  if (process.stdout.isTTY) process.stdout.write(`\r\x1b[K${line}`);
  else if (++progressCalls % PROGRESS_EVERY === 0) say(line);
}

function say(line: string): void {
  process.stdout.write(`${process.stdout.isTTY ? '\r\x1b[K' : ''}${line}\n`);
}
