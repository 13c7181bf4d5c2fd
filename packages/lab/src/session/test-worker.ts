/** The process in which tests run: one after the other, as its parent says. */
import { Worker } from 'node:worker_threads';
import type { SeenRun } from '@quorate/sim';
import { ScenarioFailure } from '../cluster/failure.ts';
import { quorateHandlers, quorateStates } from '../ours/quorate-handlers.ts';
import { quorateRaft } from '../ours/quorate-raft.ts';
import { runTest, type TestReport } from '../run-test.ts';
import { racedOrders, runRace } from '../race/run-race.ts';
import { nameOf } from '../record/recorder.ts';
import { type Implementation, loadModule } from '../sandbox/load-module.ts';
import { notOfferedOf, runSearch, type SearchSubject } from '../search/run-search.ts';
import { searches, type SearchTest, suite } from '../suite/index.ts';
import { Heartbeat } from './heartbeat.ts';
import { type Job, noFigures, type Outcome, type Report, type Subject } from './protocol.ts';

/** Real milliseconds in which one thing may be computed without a pause. */
const STALL_LIMIT = 8_000;
/** The pipe to the parent that the watchdog writes to. */
const STALL_DESCRIPTOR = 3;

const subject = JSON.parse(process.argv[2] ?? '{"path":null}') as Subject;

function say(report: Report): void {
  process.send?.(report);
}

/** What is tested, whichever way. */
interface Tested extends Pick<Implementation, 'make' | 'service'>, SearchSubject {}

const ours: Tested = {
  make: quorateRaft(),
  service: undefined,
  handlers: quorateHandlers(),
  states: quorateStates,
};

async function main(): Promise<void> {
  const { path } = subject;
  const tested: Tested = path === null ? ours : await loadModule(path);
  const heart = new Heartbeat();
  const watchdog = new Worker(new URL('watchdog-worker.js', import.meta.url), {
    workerData: { cells: heart.cells, limit: STALL_LIMIT, descriptor: STALL_DESCRIPTOR },
  });
  watchdog.unref();
  process.on('disconnect', () => process.exit());
  process.on('message', (job: Job) => void perform(tested, job, heart));
  say({ kind: 'ready' });
}

async function perform(tested: Tested, job: Job, heart: Heartbeat): Promise<void> {
  const before = process.cpuUsage();
  heart.begin();
  const outcome = await outcomeOfJob(tested, job, () => heart.beat());
  heart.end();
  const { user, system } = process.cpuUsage(before);
  say({ kind: 'outcome', outcome, user: user / 1000, system: system / 1000 });
}

async function outcomeOfJob(tested: Tested, job: Job, onBeat: () => void): Promise<Outcome> {
  const search = searches.find(({ name }) => name === job.test);
  if (search !== undefined) return await searchedOutcome(search, tested, job, onBeat);
  const test = suite.find(({ name }) => name === job.test);
  if (test === undefined) throw new Error(`There is no test ${job.test}.`);
  const run = job.isRace ? runRace : runTest;
  const { seed, isRealTime, isRecorded = false } = job;
  const { make, service } = tested;
  const isForeign = subject.path !== null;
  return outcomeOf(await run(test, make, { seed, isRealTime, isForeign, service, isRecorded, onBeat }));
}

async function searchedOutcome(test: SearchTest, given: Tested, job: Job, onBeat: () => void): Promise<Outcome> {
  const { seed, isRerun = false } = job;
  const tested: Tested = isRerun ? { ...given, handlers: null } : given;
  const { part, name, title, servers } = test;
  const outcome: Outcome = { ...noFigures, part, test: name, title, seed, servers, notOffered: null, failure: null };
  const notOffered = await notOfferedOf(test, tested);
  if (notOffered !== null) return { ...outcome, notOffered };
  const before = process.cpuUsage();
  const { summary, failure } = await runSearch(test, tested, { seed, isForeign: subject.path !== null, onBeat });
  const { user, system } = process.cpuUsage(before);
  const searched = { ...outcome, search: summary, computing: (user + system) / 1000 };
  if (failure === null) return searched;
  const { message, lines, way } = failure;
  const note = { message, page: null, stack: '', way: lines, steps: [], events: [] };
  return { ...searched, failure: note, recording: way };
}

function outcomeOf(report: TestReport): Outcome {
  const { failure, notOffered, journal, callsByMethod } = report;
  const { part, name, title, servers } = report.test;
  return {
    elapsed: report.elapsed,
    calls: report.calls,
    bytes: report.bytes,
    agreed: report.agreed,
    remarks: report.remarks,
    calling: report.calling,
    unanswered: report.unanswered,
    pauses: report.pauses,
    computing: report.computing,
    part,
    test: name,
    title,
    seed: report.seed,
    servers,
    callsByMethod: [...callsByMethod],
    search: null,
    notOffered,
    recording: recordingOf(report),
    failure:
      failure === null
        ? null
        : {
            message: failure.message,
            page: failure instanceof ScenarioFailure ? failure.page : null,
            stack: failure.stack ?? '',
            way: [],
            steps: journal.steps,
            events: [...journal.events].map(([server, moments]) => ({ server, moments })),
          },
  };
}

function recordingOf({ journal: { recorder }, test, seed, failure, orderSeed }: TestReport): SeenRun | null {
  if (recorder === null) return null;
  const { events, left } = recorder;
  const order = orderSeed === null ? '' : `, order ${orderSeed}`;
  const servers = Array.from({ length: test.servers }, (_, server) => nameOf(server));
  return {
    title: `${test.name}, seed ${seed}${order}: ${test.title}`,
    servers,
    failure: failure?.message ?? null,
    finding: null,
    remark: orderSeed === null ? null : raceRemark(orderSeed),
    left,
    events,
  };
}

function raceRemark(order: number): string {
  return `Looked through for races: of what is due at the same moment, order ${order} of the ${racedOrders} that are tried decides what comes first.`;
}

try {
  await main();
} catch (error) {
  say({ kind: 'unfit', reason: error instanceof Error ? error.message : String(error) });
  process.disconnect();
}
