import { existsSync, rmSync } from 'node:fs';
import {
  applied,
  boundsOf,
  BreadthFirst,
  type Bug,
  bugs,
  committed,
  CoreWorld,
  type CoreWorldOptions,
  coreRunTrace,
  DepthFirst,
  encodeTrace,
  explain,
  type CoreAction,
  goal,
  type Goal,
  type GoalPart,
  inTerm,
  leads,
  RandomWalk,
  StagedSearch,
  type StageResult,
  type Searching,
  type SearchOptions,
  type SearchResult,
  twoLeaders,
  untouched,
} from '@quorate/sim';
import { loadBug, searchParallel, writeLines } from '@quorate/sim/node';
import { quorateVersion } from '@quorate/server';
import { table } from '../output/table.ts';
import type { CheckFlags } from '../tree/check-command.ts';
import { UsageError } from '../usage-error.ts';
import { printExplanation } from './check-explanation.ts';
import { runDebugPage } from './debug-page.ts';
import { count, interruptible } from './check-run.ts';
import { print } from './session.ts';

const EXIT_CODES = { violation: 10, missedGoal: 13 } as const;
/** Steps between two looks at the clock. */
const SLICE = 10_000;
/** One step of so many is made twice. */
const REPEAT_EVERY = 1_024;

/** Searches, with a line that moves; then what was found, explained, or what was proved and what was cut. */
export async function runCheck(flags: CheckFlags, given: readonly string[]): Promise<void> {
  if (flags.listBugs === true) {
    print(
      table(
        ['bug', 'what the core does wrong'],
        bugs.map(({ name, mistake }) => [name, mistake]),
      ),
    );
    return;
  }
  const { bug, options } = await worldOf(flags, given);
  if (bug !== null) print(`In this core ${bug.mistake}.`);
  const world = checkedUsage(() => new CoreWorld(options));
  print(`${options.servers} servers; at most ${boundsOf(world)}.`);
  const seconds = flags.seconds ?? Number.POSITIVE_INFINITY;
  const began = performance.now();
  const result = isShared(flags, bug)
    ? await searchShared(options, bug, flags, seconds)
    : await searchAlone(world, bug, flags, seconds);
  printSpace(result, (performance.now() - began) / 1000, flags);
  const idle = untouched(world, result);
  if (idle.length > 0 && result.end !== 'violation') print(`Allowed, but never possible: ${idle.join(', ')}.`);
  let trace: string | null = null;
  if (result.end === 'violation') trace = reportViolation(result, options, bug, flags);
  else if (result.end === 'goal') trace = reportGoal(result, options, bug, flags);
  else reportNothing(result, flags);
  if (flags.open === true && trace !== null) await runDebugPage([trace], { port: 0, open: true });
}

/** The world of the flags; with a bug its own world, with what was given by hand. */
async function worldOf(
  flags: CheckFlags,
  given: readonly string[],
): Promise<{ readonly bug: Bug | null; readonly options: CoreWorldOptions }> {
  const options = optionsOf(flags);
  if (flags.bug === undefined) return { bug: null, options };
  const { bug, core } = await loadBug(flags.bug);
  const budgets = Object.fromEntries(
    Object.entries(options.budgets ?? {}).filter(([name]) => given.includes(flagOfBudget(name))),
  );
  const own = {
    ...(given.includes('servers') ? { servers: options.servers } : {}),
    ...(given.includes('disk') ? { disk: options.disk } : {}),
    ...(given.includes('lose') ? { lost: options.lost } : {}),
  };
  return { bug, options: { ...bug.world, ...own, budgets: { ...bug.world.budgets, ...budgets }, core } };
}

function flagOfBudget(name: string): string {
  return name === 'terms' ? 'maxTerm' : `max${name.charAt(0).toUpperCase()}${name.slice(1)}`;
}

function optionsOf(flags: CheckFlags): CoreWorldOptions {
  return {
    servers: flags.servers,
    learners: flags.learners,
    spares: flags.spares,
    timing: 'order',
    disk: flags.disk === 'at-once' ? 'atOnce' : 'steps',
    symmetry: flags.symmetry,
    tornCrashes: flags.torn,
    // Which kinds there are, the world knows, and says so.
    lost: (flags.lose ?? []) as CoreWorldOptions['lost'] & object,
    ...(flags.prevote ? {} : { raft: { stableLeadership: false } }),
    budgets: {
      terms: flags.maxTerm,
      elections: flags.maxElections,
      stickiness: flags.maxStickiness,
      heartbeats: flags.maxHeartbeats,
      requests: flags.maxRequests,
      reads: flags.maxReads,
      crashes: flags.maxCrashes,
      snapshots: flags.maxSnapshots,
      changes: flags.maxChanges,
      transfers: flags.maxTransfers,
      duplicates: flags.maxDuplicates,
    },
  };
}

/** Goals and stages are functions, which no other thread can be handed. */
function isShared({ engine, goal: parts, threads }: CheckFlags, bug: Bug | null): boolean {
  return engine === 'bfs' && parts === undefined && (bug?.stages ?? null) === null && threads > 1;
}

async function searchShared(
  options: CoreWorldOptions,
  bug: Bug | null,
  { threads, depth, maxStates, maxFrontier }: CheckFlags,
  seconds: number,
): Promise<SearchResult> {
  const world = Object.fromEntries(
    Object.entries(options).filter(([name]) => name !== 'core'),
  ) as unknown as CoreWorldOptions;
  const limits = { maxDepth: depth ?? null, maxStates, maxFrontier, repeatEvery: REPEAT_EVERY };
  return await interruptible(seconds, async (signal, onProgress) => {
    return await searchParallel({ world, bug: bug?.name ?? null, threads, ...limits, signal, onProgress });
  });
}

async function searchAlone(
  world: CoreWorld,
  bug: Bug | null,
  flags: CheckFlags,
  seconds: number,
): Promise<SearchResult> {
  const search = checkedUsage(() => engineOf(flags, world, bug));
  await interruptible(seconds, async (signal, onProgress) => {
    while (!signal.aborted && !search.advance(SLICE)) {
      onProgress(search.progress);
      // An interrupt is heard only if the event loop has its turn.
      await new Promise<void>((resolve) => void setImmediate(resolve));
    }
  });
  if (search.stages !== undefined) printStages(search.stages);
  return search.result();
}

/** One that goes in stages tells of them. */
type Engine = Searching & { readonly stages?: readonly StageResult[] };

function engineOf(flags: CheckFlags, world: CoreWorld, bug: Bug | null): Engine {
  const options: SearchOptions = {
    maxStates: flags.maxStates,
    maxFrontier: flags.maxFrontier,
    walks: flags.walks,
    goal: goalOf(flags.goal),
    ...(flags.depth === undefined ? {} : { maxDepth: flags.depth }),
    ...(flags.seed === undefined ? {} : { seed: flags.seed }),
  };
  if (bug !== null && bug.stages !== null && flags.engine === 'bfs')
    return new StagedSearch(world, bug.stages, options);
  if (flags.engine === 'bfs') return new BreadthFirst(world, options);
  return flags.engine === 'dfs' ? new DepthFirst(world, options) : new RandomWalk(world, options);
}

function goalOf(parts: readonly string[] | undefined): Goal | null {
  return parts === undefined ? null : goal(parts.join(', '), ...parts.map(goalPart));
}

function goalPart(text: string): GoalPart {
  const [name = '', number = ''] = text.split(':');
  const count = Number(number);
  if (name === 'leader' && number === '') return leads();
  if (name === 'two-leaders' && number === '') return twoLeaders();
  if (number !== '' && Number.isSafeInteger(count) && count >= 0) {
    if (name === 'term') return inTerm(count);
    if (name === 'committed') return committed(count);
    if (name === 'applied') return applied(count);
  }
  throw new UsageError(
    `'${text}' is no part of a goal. There are: leader, two-leaders, term:N, committed:N, applied:N.`,
  );
}

/** What cannot be, was typed so. */
function checkedUsage<Value>(make: () => Value): Value {
  try {
    return make();
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(error.message, { cause: error });
    throw error;
  }
}

function printSpace(
  { states, successors, depth, levels, taken, repeated }: SearchResult,
  seconds: number,
  flags: CheckFlags,
): void {
  const rate = Math.round(successors / Math.max(seconds, 0.001));
  print(
    `${count(states)} states, ${count(successors)} steps, depth ${depth}, in ${seconds.toFixed(1)} s: ${count(rate)} steps a second; ` +
      `${count(repeated)} steps were made twice.`,
  );
  if (flags.engine === 'bfs' && levels.length > 1) print(`States by depth: ${levels.map(count).join(' ')}`);
  print(`Steps by kind: ${[...taken].map(([kind, times]) => `${kind} ${count(times)}`).join(', ')}`);
}

function printStages(stages: readonly StageResult[]): void {
  const rows = stages.map(({ stage, result: { states, levels, end } }) => [
    stage,
    count(states),
    String(levels.length - 1),
    end,
  ]);
  print(table(['stage', 'states', 'depth', 'ends with'], rows));
}

/** Returns the file of the trace. */
function reportViolation(
  result: SearchResult,
  options: CoreWorldOptions,
  bug: Bug | null,
  flags: CheckFlags,
): string | null {
  const { actions, broken } = result;
  if (actions === null || broken === null) return null;
  process.exitCode = EXIT_CODES.violation;
  const isStaged = bug !== null && bug.stages !== null;
  const isShortest = flags.engine === 'bfs' && !isStaged;
  const shortest = isShortest
    ? 'a shortest way'
    : isStaged
      ? 'a shortest way in each stage'
      : 'the shortest way that was found';
  print(`\n${broken.invariant} is broken after ${stepsIn(actions)} steps, ${shortest}:\n`);
  printExplanation(explain(options, actions), broken);
  if (bug !== null) print(`\nThe mistake: ${bug.mistake}. The rule: ${bug.rule}.`);
  const path = flags.trace ?? `check-${broken.invariant}.json`;
  save(path, { options, bug, actions, broken }, flags.trace === undefined);
  return path;
}

/** Returns the file of the trace, if one was asked for. */
function reportGoal(
  result: SearchResult,
  options: CoreWorldOptions,
  bug: Bug | null,
  flags: CheckFlags,
): string | null {
  const { actions } = result;
  if (actions === null) return null;
  print(`\nThe goal is reached after ${stepsIn(actions)} steps:\n`);
  printExplanation(explain(options, actions), null);
  const path = flags.trace ?? (flags.open === true ? 'check-goal.json' : null);
  if (path !== null) save(path, { options, bug, actions, broken: null }, flags.trace === undefined);
  return path;
}

/** Where a stage begins, nothing happens in the world. */
function stepsIn(actions: readonly CoreAction[]): number {
  return actions.filter(({ kind }) => kind !== 'restage').length;
}

interface Found {
  readonly options: CoreWorldOptions;
  readonly bug: Bug | null;
  readonly actions: NonNullable<SearchResult['actions']>;
  readonly broken: SearchResult['broken'];
}

function save(path: string, { options, bug, actions, broken }: Found, replaces: boolean): void {
  if (replaces) rmSync(path, { force: true });
  else if (existsSync(path)) throw new UsageError(`${path} is there already: name another file with --trace.`);
  const run = { options, bug: bug?.name ?? null, actions, broken };
  const { header, records } = coreRunTrace(run, quorateVersion, 'quorate check');
  writeLines(path, encodeTrace(header, records));
  print(`\nWritten to ${path}. Step by step in a browser: quorate debug ${path}. Again: quorate check replay ${path}`);
}

function reportNothing(result: SearchResult, flags: CheckFlags): void {
  const { end, cut, nearest } = result;
  if (end === 'exhausted') print('Nothing breaks: every state within these bounds was visited.');
  else print('Nothing broke in the states that were visited. That is no proof:');
  for (const sentence of cut) print(`  ${sentence}`);
  if (flags.goal === undefined) return;
  process.exitCode = EXIT_CODES.missedGoal;
  print(`\nThe goal was not reached: ${flags.goal.join(', ')}. The states that came nearest:`);
  for (const { depth, misses, actions } of nearest) {
    const lacking = misses.map(({ part, distance }) => `${part} (${distance} away)`).join('; ');
    print(`  after ${depth} steps, lacking: ${lacking}`);
    print(`    ${actions.map((action) => action.kind).join(', ')}`);
  }
}
