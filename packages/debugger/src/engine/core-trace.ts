/** Opens traces of core worlds: what a search found, or this debugger wrote. */
import { type CoreAction, CoreWorld, type DecodedTrace, decodeTrace, TraceError } from '@quorate/sim';
import { isPlainObject, readOptions } from './read-setup.ts';
import type { RunSetup } from './setup.ts';
import { whyNot } from './link.ts';
import { codeVersion } from './version.ts';

export interface OpenedRun {
  readonly setup: RunSetup;
  readonly actions: readonly CoreAction[];
  /** Where it goes another way than when it was written; null if all of it applies. */
  readonly remark: string | null;
}

/** Which world a trace is of: null for recordings of real servers. Throws TraceError for what is no trace. */
export function decode(text: string): DecodedTrace & { readonly world: string | null } {
  const { header, records } = decodeTrace(text.split('\n'));
  const { world } = header.configuration;
  return { header, records, world: typeof world === 'string' ? world : null };
}

/** Throws TraceError, or RangeError for a world that cannot be. */
export function readCoreTrace({ header, records }: DecodedTrace, name: string): OpenedRun {
  const { title, options, requestEvery } = header.configuration;
  if (!isPlainObject(options))
    throw new TraceError('NotReplayable', 'The trace does not say what its world was like.', 1);
  const setup: RunSetup = {
    title: typeof title === 'string' ? title : name,
    options: readOptions(options),
    requestEvery: typeof requestEvery === 'number' ? requestEvery : null,
  };
  const world = new CoreWorld(setup.options);
  const actions: CoreAction[] = [];
  for (const record of records) {
    if (record.kind !== 'decision') {
      throw new TraceError('NotReplayable', 'This trace mixes decisions of a core world with inputs of real servers.');
    }
    const why = whyNot(world, record.action);
    if (why !== null) return { setup, actions, remark: partingWords(actions.length + 1, why, header.codeVersion) };
    const action = record.action as unknown as CoreAction;
    world.perform(action);
    actions.push(action);
  }
  return { setup, actions, remark: null };
}

function partingWords(step: number, why: string, version: string): string {
  const of = version === codeVersion ? '' : ` The trace is of build ${version}, this is ${codeVersion}.`;
  return `Step ${step} no longer applies: ${why}.${of} This is the run up to it.`;
}
