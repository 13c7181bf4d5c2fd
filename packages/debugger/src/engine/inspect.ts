/** Puts a step under the glass. */
import type { Input, MemberId, Output } from '@quorate/raft';
import { type CoreServer, viewOf } from '@quorate/sim';
import type { DiffLine, Happening } from './happening.ts';
import { withShortNames } from './names.ts';
import { inputWords, outputLines } from './words.ts';

/** What a step was made of. */
export interface Made {
  readonly step: number;
  readonly title: string;
  readonly server: MemberId | null;
  readonly inputs: readonly Input[];
  readonly outputs: readonly Output[];
  readonly before: CoreServer | null;
  readonly after: CoreServer | null;
}

export function happeningOf({ step, title, server, inputs, outputs, before, after }: Made): Happening {
  return {
    step,
    title,
    server,
    inputs: inputs.map(inputWords),
    outputs: outputs.flatMap(outputLines),
    diff: difference(before, after),
  };
}

function difference(before: CoreServer | null, after: CoreServer | null): readonly DiffLine[] {
  if (before === null || after === null) return [];
  const [was, is] = [facts(before), facts(after)];
  return Object.entries(is).flatMap(([field, value]) => {
    const old = was[field] ?? '';
    if (old === value) return [];
    return [{ field: withShortNames(field), before: withShortNames(old), after: withShortNames(value) }];
  });
}

/** What is worth telling of a server, in the words of Figure 2. */
function facts(server: CoreServer): Readonly<Record<string, string>> {
  const view = viewOf(server);
  const votes = view.votes.filter(({ granted }) => granted).map(({ voter }) => voter);
  return {
    process: view.status,
    role: view.role ?? 'none',
    term: String(view.term),
    vote: view.vote ?? 'none',
    leader: view.leader ?? 'unknown',
    'votes for it': votes.join(' ') || 'none',
    'last index': String(view.lastIndex),
    'on its disk': `${view.durable.lastIndex}, term ${view.durable.term}, vote ${view.durable.vote ?? 'none'}`,
    commit: String(view.commitIndex),
    applied: String(view.appliedIndex),
    snapshot: String(view.snapshotIndex),
    voters: `${view.outgoing.length > 0 ? `${view.outgoing.join(' ')} → ` : ''}${view.voters.join(' ')}`,
    ...Object.fromEntries(
      view.followers.map(({ id, match, next, state }) => [`of ${id}`, `match ${match}, next ${next}, ${state}`]),
    ),
  };
}

/** The whole state of a server's core and disk, for whoever wants to see it bare. */
export function rawState(server: CoreServer): string {
  const { raft, disk, pending, held } = server;
  return JSON.stringify({ core: raft, disk, pending, held }, plain, 2);
}

function plain(_name: string, value: unknown): unknown {
  if (value instanceof Uint8Array) return new TextDecoder().decode(value);
  return value instanceof Map ? Object.fromEntries(value) : value;
}
