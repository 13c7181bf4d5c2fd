/** Plans as traces: the header holds what the world was like and what came of it, the records what its adversary did. */
import type { Plain } from '@quorate/runtime';
import type { Plan, SeedResult } from '../campaign/run-seed.ts';
import { randomStream } from '../random.ts';
import { drawOptions } from '../swarm/options.ts';
import type { Action } from '../world/action.ts';
import { asPlain, lackIn, shapeDifference, type WantedFields } from './shape.ts';
import { type DecisionRecord, TraceError, traceHeader, type TraceHeader, type TraceRecord } from './trace.ts';

/** How a run ended: what another run of the same plan must come to. */
export interface Ending {
  /** The invariant that was broken, '' if none was. */
  readonly invariant: string;
  /** The two facts that contradict each other, or the error that was thrown. */
  readonly facts: readonly string[];
  readonly stateHash: number;
}

export function endingOf({ violation, crash, stateHash }: SeedResult): Ending {
  if (violation !== null) {
    return { invariant: violation.invariant, facts: [violation.first, violation.second], stateHash };
  }
  return crash === null
    ? { invariant: '', facts: [], stateHash }
    : { invariant: 'crash', facts: [firstLine(crash)], stateHash };
}

/** Whether the same was broken, whatever else is different. */
export function endsAlike(a: Ending, b: Ending): boolean {
  return a.invariant === b.invariant && (a.invariant !== 'crash' || a.facts[0] === b.facts[0]);
}

export interface PlanTrace {
  readonly plan: Plan;
  readonly ending: Ending;
}

export function planTrace(
  { plan, ending }: PlanTrace,
  codeVersion: string,
  createdBy: string,
): { readonly header: TraceHeader; readonly records: readonly DecisionRecord[] } {
  const { seed, options, actions } = plan;
  return {
    header: traceHeader(asPlain({ world: 'nodes', seed, options, ending }), codeVersion, createdBy),
    records: actions.map(({ at, step, ...action }) => ({ kind: 'decision', at, step, action: asPlain(action) })),
  };
}

/** Throws TraceError for what is no plan of this build. */
export function readPlan(header: TraceHeader, records: Iterable<TraceRecord>): PlanTrace {
  const { world, seed, options, ending } = header.configuration;
  const isPlan = world === 'nodes' && typeof seed === 'number' && options !== undefined && ending !== undefined;
  if (!isPlan) throw new TraceError('NotReplayable', 'This trace is no run of a simulated cluster.', 1);
  const ours = { options: drawOptions(randomStream(0, 'shape')), ending: { invariant: '', stateHash: 0 } };
  const difference = shapeDifference({ options, ending }, ours, 'configuration');
  if (difference !== null) {
    throw new TraceError(
      'NotReplayable',
      `The options of the run are not those of this build: ${difference}. Use the build that made the trace, ${header.codeVersion}.`,
      1,
    );
  }
  const actions: Action[] = [];
  for (const record of records) actions.push(actionOf(record));
  const plan = { seed, options, actions } as unknown as Plan;
  return { plan, ending: ending as unknown as Ending };
}

function actionOf(record: TraceRecord): Action {
  if (record.kind !== 'decision') {
    throw new TraceError(
      'NotReplayable',
      'This trace mixes decisions of a simulated world with inputs of real servers.',
    );
  }
  const wanted: WantedFields | undefined = actionFields[record.action.kind as Action['kind']];
  if (wanted === undefined) {
    throw new TraceError('NotReplayable', `This build knows no action '${record.action.kind}'.`);
  }
  const lack = lackIn(record.action, wanted);
  if (lack !== null) {
    throw new TraceError('NotReplayable', `The action '${record.action.kind}' at ${record.at} ${lack}.`);
  }
  return {
    at: record.at,
    step: record.step,
    ...(record.action as Readonly<Record<string, Plain>> & { readonly kind: string }),
  } as unknown as Action;
}

const onServer = { server: 'string' };
const onLink = { from: 'string', to: 'string' };
const actionFields: Readonly<Record<Action['kind'], WantedFields>> = {
  crash: { ...onServer, how: 'string' },
  start: onServer,
  pause: onServer,
  resume: onServer,
  cut: { ...onLink, how: 'string' },
  clog: { ...onLink, micros: 'number' },
  reset: onLink,
  heal: {},
  network: { faults: 'object' },
  disk: { ...onServer, faults: 'object' },
  stallDisk: { ...onServer, micros: 'number' },
  stallLog: { ...onServer, micros: 'number' },
  rot: onServer,
  spoil: { ...onServer, index: 'number' },
  loseDisk: { ...onServer, state: 'string' },
  fill: { ...onServer, left: 'number' },
  free: onServer,
  stepClock: { ...onServer, millis: 'number' },
  reformat: onServer,
  change: { ...onServer, changes: 'object' },
  transfer: { ...onServer, target: 'string' },
};

function firstLine(text: string): string {
  return text.split('\n')[0] ?? '';
}
