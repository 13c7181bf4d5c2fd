/** Opens traces of core worlds: what a search found, or this debugger wrote. */
import { type CoreAction, CoreWorld, type DecodedTrace, decodeTrace, readCoreRun } from '@quorate/sim';
import { equip } from './equip.ts';
import type { Host } from './host.ts';
import { whyNot } from './link.ts';
import type { RunSetup } from './setup.ts';
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

/** Throws TraceError for a world or a decision that this build does not know. */
export async function readCoreTrace({ header, records }: DecodedTrace, name: string, host: Host): Promise<OpenedRun> {
  const { options, bug, actions: wanted, broken } = readCoreRun(header, records);
  const { title, requestEvery } = header.configuration;
  const setup = await equip(
    {
      title: typeof title === 'string' ? title : `${name}${bug === null ? '' : `, a core with the mistake ${bug}`}`,
      options,
      bug,
      requestEvery: typeof requestEvery === 'number' ? requestEvery : null,
    },
    host,
  );
  const world = new CoreWorld(setup.options);
  const actions: CoreAction[] = [];
  for (const action of wanted) {
    const why = whyNot(world, action);
    if (why !== null) return { setup, actions, remark: partingWords(actions.length + 1, why, header.codeVersion) };
    world.perform(action);
    actions.push(action);
  }
  const isSame = broken === null || world.broken?.invariant === broken.invariant;
  const remark = `This build goes another way: ${broken?.invariant ?? ''} broke when the trace was made, ${world.broken?.invariant ?? 'nothing'} breaks now.`;
  return { setup, actions, remark: isSame ? null : remark };
}

function partingWords(step: number, why: string, version: string): string {
  const of = version === codeVersion ? '' : ` The trace is of build ${version}, this is ${codeVersion}.`;
  return `Step ${step} no longer applies: ${why}.${of} This is the run up to it.`;
}
