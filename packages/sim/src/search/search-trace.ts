/** What a search found, as a trace: the header holds what the world was like and what broke, the records what was done. */
import type { Plain } from '@quorate/runtime';
import type { CoreAction } from '../core-world/action.ts';
import type { CoreWorldOptions } from '../core-world/options.ts';
import type { Broken } from '../core-world/surroundings.ts';
import { CoreWorld } from '../core-world/world.ts';
import { asPlain, lackIn, type WantedFields } from '../trace/shape.ts';
import { type DecisionRecord, TraceError, traceHeader, type TraceHeader, type TraceRecord } from '../trace/trace.ts';

/** A run of a core world. */
export interface CoreRun {
  /** Without the core: a trace names it, if it is not the real one. */
  readonly options: Omit<CoreWorldOptions, 'core'>;
  /** The mistake in the core that was searched; null for the real one. */
  readonly bug: string | null;
  readonly actions: readonly CoreAction[];
  /** What breaks at its end; null for nothing. */
  readonly broken: Broken | null;
}

/** Throws RangeError for actions that cannot be carried out. `core`: the one that `bug` names. */
export function coreRunTrace(
  { options, bug, actions, broken }: CoreRun,
  codeVersion: string,
  createdBy: string,
): { readonly header: TraceHeader; readonly records: readonly DecisionRecord[] } {
  return {
    header: traceHeader(
      asPlain({ world: 'cores', options: withoutCore(options), bug, broken }),
      codeVersion,
      createdBy,
    ),
    records: actions.map((action, step) => ({ kind: 'decision', at: 0, step, action: asPlain(action) })),
  };
}

/** Whoever searched may hand over its options as they are, and the core is no plain data. */
function withoutCore(options: object): object {
  return Object.fromEntries(Object.entries(options).filter(([name]) => name !== 'core'));
}

/** Whether the trace is one of a core world. */
export function isCoreRun({ configuration }: TraceHeader): boolean {
  return configuration['world'] === 'cores';
}

/** Throws TraceError for what is no run of a core world of this build. */
export function readCoreRun(header: TraceHeader, records: Iterable<TraceRecord>): CoreRun {
  const { options, bug, broken } = header.configuration;
  if (!isCoreRun(header) || typeof options !== 'object' || (typeof bug !== 'string' && bug !== null)) {
    throw new TraceError('NotReplayable', 'This trace is no run of a core world.', 1);
  }
  try {
    // Options that cannot be are refused here, not at the first step.
    void new CoreWorld(options as unknown as CoreWorldOptions);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new TraceError('NotReplayable', `The world of this trace cannot be made by this build: ${why}`, 1, {
      cause: error,
    });
  }
  const actions: CoreAction[] = [];
  for (const record of records) actions.push(actionOf(record, actions.length));
  return { options: options as unknown as CoreWorldOptions, bug, actions, broken: brokenOf(broken) };
}

function brokenOf(value: Plain | undefined): Broken | null {
  if (typeof value !== 'object' || value === null || !('invariant' in value)) return null;
  const { invariant, first, second } = value as Readonly<Record<string, Plain>>;
  const isSound = typeof invariant === 'string' && typeof first === 'string' && typeof second === 'string';
  return isSound ? { invariant, first, second } : null;
}

/** The fields that an action of each kind needs. */
const onServer = { server: 'string' };
const onMessage = { message: 'number' };
const onLink = { from: 'string', to: 'string' };
const actionFields: Readonly<Record<CoreAction['kind'], WantedFields>> = {
  deliver: onMessage,
  drop: onMessage,
  duplicate: onMessage,
  delay: { ...onMessage, by: 'number' },
  timeout: { ...onServer, timer: 'string' },
  persist: onServer,
  apply: onServer,
  load: onServer,
  snapshotSent: onServer,
  compact: onServer,
  propose: onServer,
  read: onServer,
  change: { ...onServer, change: 'object' },
  transfer: { ...onServer, target: 'string' },
  crash: { ...onServer, keep: 'number' },
  crashAtDisk: onServer,
  restart: onServer,
  pause: onServer,
  resume: onServer,
  damage: { ...onServer, index: 'number' },
  cut: onLink,
  mend: onLink,
  heal: {},
  restage: { stage: 'string', budgets: 'object', forget: 'boolean' },
};

function actionOf(record: TraceRecord, at: number): CoreAction {
  if (record.kind !== 'decision')
    throw new TraceError('NotReplayable', 'This trace mixes steps of a core world with inputs of real servers.');
  const wanted: WantedFields | undefined = actionFields[record.action.kind as CoreAction['kind']];
  if (wanted === undefined)
    throw new TraceError('NotReplayable', `This build knows no action '${record.action.kind}' (step ${at + 1}).`);
  const lack = lackIn(record.action, wanted);
  if (lack !== null) throw new TraceError('NotReplayable', `Step ${at + 1}, '${record.action.kind}', ${lack}.`);
  return record.action as unknown as CoreAction;
}
