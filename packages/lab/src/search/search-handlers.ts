/** Runs a search test on a Raft in handlers: every order of events, stage after stage. */
import { type SearchResult, StagedSearch } from '@quorate/sim';
import type { SearchTest } from '../suite/search-test.ts';
import type { LabAction } from './action.ts';
import { boundsOf, nothingAllowed } from './allowance.ts';
import { LabWorld } from './lab-world.ts';
import { failureAtEnd, findingOf, missed, nearestRemark, searchedRemark, tellBroken } from './search-failure.ts';
import type { SearchFailure, SearchReport, SearchSummary, StageSummary } from './search-report.ts';
import { Telling } from './telling.ts';
import type { Subject } from './turn.ts';

/** States that a stage may meet that looks at all there is; one that needs more is bounded by it. */
const MAX_STATES = 40_000;
/** States that a stage may meet on its way to a goal. */
const MAX_STATES_TO_GOAL = 200_000;
/** Of each kind one step of so many is made twice, to see that the same comes of it. */
const REPEAT_EVERY = 64;
/** Steps between two beats. */
const SLICE = 2_000;

export function searchHandlers(test: SearchTest, subject: Subject, onBeat: () => void): SearchReport {
  const { servers, offers = [], stages } = test;
  const start = new LabWorld(subject, { servers, offers });
  const bounded = stages.map((stage) => ({
    ...stage,
    maxStates: stage.goal === null ? MAX_STATES : MAX_STATES_TO_GOAL,
  }));
  const search = new StagedSearch<LabWorld, LabAction, typeof nothingAllowed>(start, bounded, {
    repeatEvery: REPEAT_EVERY,
  });
  while (!search.advance(SLICE)) onBeat();
  const done = search.stages;
  const result = search.result();
  const length = result.broken === null ? null : stepsOf(result.actions ?? []);
  const summary = { ...summaryOf(test, done), way: length === null ? null : { found: length, told: length } };
  return { summary, failure: failureOf(test, start, done.at(-1)?.stage ?? '', result) };
}

type Done = StagedSearch<LabWorld, LabAction, typeof nothingAllowed>['stages'];

function stepsOf(actions: readonly LabAction[]): number {
  return actions.filter(({ kind }) => kind !== 'restage').length;
}

function summaryOf({ stages }: SearchTest, done: Done): Omit<SearchSummary, 'way'> {
  const summaries = done.map(({ stage: name, result }, at): StageSummary => {
    const bounds = boundsOf({ ...nothingAllowed, ...stages[at]?.budgets });
    return { name, bounds, end: result.end, states: result.states, steps: result.successors, depth: result.depth };
  });
  const sum = (key: 'states' | 'steps' | 'depth'): number => summaries.reduce((total, each) => total + each[key], 0);
  const isBounded = done.some(({ result }) => result.end === 'states' || result.end === 'frontier');
  return {
    verdict: isBounded ? 'bounded' : 'exhausted',
    states: sum('states'),
    steps: sum('steps'),
    depth: sum('depth'),
    runs: 0,
    stages: summaries,
  };
}

function failureOf(
  test: SearchTest,
  start: LabWorld,
  stage: string,
  result: SearchResult<LabAction>,
): SearchFailure | null {
  if (result.broken !== null) {
    const message = tellBroken(result.broken);
    const telling = tellWay(test, start, result.actions ?? []);
    return failureAtEnd(test, telling, findingOf(result.broken), { message, remark: searchedRemark });
  }
  const wanted = test.stages.find(({ name }) => name === stage)?.goal ?? null;
  if (wanted === null || result.end === 'goal') return null;
  const reached =
    result.end === 'exhausted'
      ? 'no order of events leads there'
      : `none of the first ${MAX_STATES_TO_GOAL} states is one of those`;
  const lacks = lacksOf(result);
  const telling = tellWay(test, start, result.nearest[0]?.actions ?? [], lacks);
  const finding = missed(stage, wanted.name, [reached, ...lacks.slice(0, 1)].join('; '));
  const message = `${stage}: ${reached} (${wanted.name})`;
  return failureAtEnd(test, telling, finding, { message, remark: nearestRemark });
}

/** States near the goal that are told of. */
const SHOWN_NEAR = 2;

/** What the states that came nearest lacked. */
function lacksOf({ nearest }: SearchResult<LabAction>): string[] {
  return nearest.slice(0, SHOWN_NEAR).map(({ depth, misses }) => {
    const parts = misses.map(({ part, distance }) => (distance > 1 ? `${part} (off by ${distance})` : part));
    return `nearest, in ${depth} steps of this stage: all but "${parts.join('" and "')}"`;
  });
}

function tellWay(
  { stages }: SearchTest,
  start: LabWorld,
  actions: readonly LabAction[],
  before: readonly string[] = [],
): Telling {
  const world = start.clone();
  const telling = new Telling(world, stages);
  telling.lines.push(...before);
  for (const action of actions) {
    const servers = world.servers;
    const step = telling.isScenarios(action) ? world.carryOut(action) : world.perform(action);
    telling.note(step, servers);
  }
  telling.end();
  return telling;
}
