/** Two branches side by side: where they part, what each did then, and where it left every server. */
import { type CoreWorld, viewOf } from '@quorate/sim';
import type { StepRecord } from './step-record.ts';

export interface Comparison {
  readonly names: readonly [string, string];
  /** Steps that they share. */
  readonly shared: number;
  readonly steps: readonly ComparedStep[];
  /** Steps beyond those that are listed. */
  readonly left: number;
  readonly servers: readonly ComparedServer[];
}

/** What each did as its `step`-th step; null where it has ended. */
export interface ComparedStep {
  readonly step: number;
  readonly titles: readonly [string | null, string | null];
}

export interface ComparedServer {
  readonly server: string;
  readonly facts: readonly ComparedFact[];
}

export interface ComparedFact {
  readonly name: string;
  readonly values: readonly [string, string];
}

/** One of the two: its name, its records and the world at its end. */
export interface Side {
  readonly name: string;
  readonly records: readonly StepRecord[];
  readonly end: CoreWorld;
}

const maxListed = 200;

export function compare(one: Side, other: Side, shared: number): Comparison {
  const longest = Math.max(one.records.length, other.records.length);
  const listed = Math.min(longest, shared + maxListed);
  const steps = Array.from({ length: Math.max(0, listed - shared) }, (_, at): ComparedStep => {
    const step = shared + at + 1;
    return { step, titles: [titleAt(one, step), titleAt(other, step)] };
  });
  return {
    names: [one.name, other.name],
    shared,
    steps,
    left: longest - listed,
    servers: one.end.servers.map(({ id }) => ({ server: id, facts: factsOf(id, one.end, other.end) })),
  };
}

function titleAt({ records }: Side, step: number): string | null {
  return records[step - 1]?.title ?? null;
}

function factsOf(id: string, one: CoreWorld, other: CoreWorld): readonly ComparedFact[] {
  const [first, second] = [stateWords(one, id), stateWords(other, id)];
  return Object.entries(first).map(([name, value]) => ({ name, values: [value, second[name] ?? ''] }));
}

function stateWords(world: CoreWorld, id: string): Readonly<Record<string, string>> {
  const record = world.server(id);
  if (record === null) return {};
  const { status, role, term, vote, commitIndex, entries, baseIndex } = viewOf(record);
  const terms = entries.map((entry) => entry.term).join(' ');
  return {
    role: status === 'down' ? 'down' : (role ?? 'none'),
    term: String(term),
    vote: vote ?? 'none',
    commit: String(commitIndex),
    log: `${baseIndex > 0 ? `…${baseIndex} ` : ''}${terms || 'empty'}`,
  };
}
