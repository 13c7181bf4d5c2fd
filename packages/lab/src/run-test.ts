/** Runs one scenario on one Raft, and says what came of it. */
import { randomStream } from '@quorate/sim';
import { CallLimit } from './cluster/call-limit.ts';
import { Cluster } from './cluster/cluster.ts';
import type { MakeOwnService, MakeService } from './cluster/hosted-service.ts';
import { NotOffered, ScenarioFailure } from './cluster/failure.ts';
import { Journal } from './cluster/journal.ts';
import type { Make } from './interface.ts';
import { LabRecorder } from './record/recorder.ts';
import { asRace, SharedValues } from './race/shared-values.ts';
import { enterWorld } from './sandbox/virtual-globals.ts';
import type { Pauses } from './network/call-counts.ts';
import type { LabTest } from './suite/index.ts';
import { RealScheduler } from './time/real-scheduler.ts';
import type { Scheduler } from './time/scheduler.ts';
import { VirtualScheduler } from './time/virtual-scheduler.ts';

/** Behind so many times the limit a test that goes on is ended. */
const OVERDUE = 2;

/** Milliseconds that a message takes in virtual time: about what a call takes between processes of one machine. */
const VIRTUAL_HOP = 0.1;
/** Milliseconds of a test's time, where the test says nothing else. */
const TEST_LIMIT = 120_000;

export interface RunOptions {
  /** A safe integer from 0 on. In virtual time it decides everything. */
  readonly seed: number;
  readonly isRealTime: boolean;
  /** The implementation is not ours: in virtual time the globals become the test's while it runs. */
  readonly isForeign?: boolean;
  /** A service of the implementation's own, in place of the key-value part's. */
  readonly service?: MakeOwnService | undefined;
  /** Look for races, in this order of what is due at the same moment. */
  readonly order?: number;
  /** Keep all that can be seen of it, for the debugger. */
  readonly isRecorded?: boolean;
  /** Called whenever something has happened. */
  readonly onBeat?: () => void;
}

export interface TestReport {
  readonly test: LabTest;
  readonly seed: number;
  /** Null if it passed, or was not run. */
  readonly failure: Error | null;
  /** What the implementation does not offer and the test needs, so that it was not run; null if it was. */
  readonly notOffered: string | null;
  readonly journal: Journal;
  /** Milliseconds of the test's time, virtual or real. */
  readonly elapsed: number;
  readonly calls: number;
  readonly bytes: number;
  readonly callsByMethod: ReadonlyMap<string, number>;
  /** The highest index that any server applied; of tests with a service, what clients asked and was done. */
  readonly agreed: number;
  /** What the scenario has to say beyond its figures. */
  readonly remarks: readonly string[];
  /** Milliseconds in which calls were under way, of `elapsed`. */
  readonly calling: number;
  /** Calls that ended without an answer. */
  readonly unanswered: number;
  readonly pauses: Pauses;
  /** Milliseconds of the processor. */
  readonly computing: number;
  /** What happened, in order; empty unless races are looked for. */
  readonly order: readonly string[];
  /** What decided that order, see RunOptions; null unless races are looked for. */
  readonly orderSeed: number | null;
}

export async function runTest(test: LabTest, make: Make, options: RunOptions): Promise<TestReport> {
  const { seed, isRealTime, isForeign, isRecorded, onBeat, order } = options;
  const random = randomStream(seed, test.name);
  const shuffle = order === undefined ? null : randomStream(order, 'order');
  const shared = order === undefined ? undefined : new SharedValues();
  const scheduler: Scheduler = isRealTime ? new RealScheduler(onBeat) : new VirtualScheduler(shuffle, onBeat);
  if (isForeign === true && !isRealTime) enterWorld(scheduler, random.fork());
  const recorder = isRecorded === true ? new LabRecorder(() => scheduler.now) : null;
  const journal = new Journal(() => scheduler.now, recorder);
  const { servers, isUnreliable, hasSnapshots, limit = TEST_LIMIT } = test;
  const makeService = serviceOf(test, options.service);
  const before = process.cpuUsage();
  let failure: Error | null = null;
  let notOffered: string | null = null;
  let cluster: Cluster | null = null;
  const onRejection = (error: unknown): void => scheduler.fail(error);
  process.on('unhandledRejection', onRejection);
  try {
    await scheduler.run(async () => {
      const hop = isRealTime ? 0 : VIRTUAL_HOP;
      const shape = { servers, isUnreliable, hasSnapshots, hop, limit, makeService };
      // In real time a call takes as long as it is computed, and the test's own limit is near.
      const callLimit = isRealTime ? null : new CallLimit(servers, () => scheduler.now);
      cluster = new Cluster({ make, scheduler, random, journal, shared, callLimit }, shape);
      await test.run(cluster).finally(() => {
        recorder?.end();
        cluster?.end();
      });
      shared?.check();
      if (scheduler.now > limit) throw new ScenarioFailure(`the test took longer than ${limit / 1000} seconds`);
    }, OVERDUE * limit);
  } catch (error) {
    if (error instanceof NotOffered) notOffered = error.message;
    else failure = (order === undefined ? null : asRace(error)) ?? asError(error);
  } finally {
    process.off('unhandledRejection', onRejection);
  }
  const run = cluster as Cluster | null;
  const counts = run?.network.counts;
  const used = process.cpuUsage(before);
  return {
    test,
    seed,
    failure,
    notOffered,
    journal,
    elapsed: scheduler.now,
    calls: counts?.calls ?? 0,
    bytes: counts?.bytes ?? 0,
    callsByMethod: counts?.byMethod ?? new Map(),
    agreed: (test.makeService !== undefined ? run?.operations : run?.services.highest) ?? 0,
    remarks: run?.remarks ?? [],
    calling: counts?.busyUntil(scheduler.now) ?? 0,
    unanswered: counts?.unanswered ?? 0,
    pauses: counts?.pausesUntil(scheduler.now) ?? { asleep: 0, waiting: 0 },
    computing: (used.user + used.system) / 1000,
    order: scheduler.order,
    orderSeed: order ?? null,
  };
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

function serviceOf(
  { makeService, maxRaftState = -1 }: LabTest,
  own: MakeOwnService | undefined,
): MakeService | undefined {
  return makeService === undefined || own === undefined ? makeService : (host) => own(host, maxRaftState);
}
