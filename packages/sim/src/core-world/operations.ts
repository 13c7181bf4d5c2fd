/** What clients of a core world asked, and what became of it: for histories on a screen. Nothing in the world depends on it. */
import type { Index, MemberId, Micros, Output, Term } from '@quorate/raft';
import type { CoreServer } from './server.ts';
import type { Turned } from './surroundings.ts';

/** One question of one client. A client asks one thing only. */
export interface CoreOperation {
  /** Counts from 1; also the id that the core is given. */
  readonly id: number;
  readonly kind: 'propose' | 'read' | 'change' | 'transfer';
  readonly server: MemberId;
  readonly calledAt: Micros;
  /** The world's steps before it. */
  readonly calledStep: number;
  /**
   * - `open`: the core owes an answer. - `appended`: it stands at (index, term), which promises nothing.
   * - `confirmed`: a read that waits until `index` is applied.
   * - `done`: it took effect, or was read. - `refused`: it has no effect, ever. - `unknown`: nobody here can know.
   */
  readonly state: 'open' | 'appended' | 'confirmed' | 'done' | 'refused' | 'unknown';
  readonly index: Index;
  readonly term: Term;
  /** Why it was refused, or how a transfer ended; '' otherwise. */
  readonly reason: string;
  /** The machine's digest when it was done: what a read saw. Null before. */
  readonly value: number | null;
  readonly endedAt: Micros | null;
  readonly endedStep: number | null;
}

/** The oldest are forgotten beyond so many. */
const maxOperations = 10_000;

export function asked(
  operations: readonly CoreOperation[],
  { id, kind, server, calledAt, calledStep }: Pick<CoreOperation, 'id' | 'kind' | 'server' | 'calledAt' | 'calledStep'>,
): readonly CoreOperation[] {
  const open = { state: 'open', index: 0, term: 0, reason: '', value: null, endedAt: null, endedStep: null } as const;
  return [...operations.slice(1 - maxOperations), { id, kind, server, calledAt, calledStep, ...open }];
}

/** What a step of `server` says of them. */
export function answered(
  operations: readonly CoreOperation[],
  server: CoreServer,
  { outputs, applied }: Turned,
  now: Micros,
  step: number,
): readonly CoreOperation[] {
  const isDown = server.raft === null;
  const isOurs = (operation: CoreOperation): boolean => operation.server === server.id && operation.endedAt === null;
  if (!operations.some(isOurs)) return operations;
  const ended = { endedAt: now, endedStep: step };
  return operations.map((operation) => {
    if (!isOurs(operation)) return operation;
    if (isDown) return { ...operation, state: 'unknown', ...ended };
    let next = operation;
    for (const output of outputs) next = withAnswer(next, output);
    if (next.state === 'refused' || next.state === 'unknown') return { ...next, ...ended };
    return atMachine(next, server, applied, ended);
  });
}

function withAnswer(operation: CoreOperation, output: Output): CoreOperation {
  const { id, kind } = operation;
  if (kind === 'propose' || kind === 'change') {
    const results = kind === 'propose' ? output.proposals : output.changes;
    const result = results.find((each) => each.id === id);
    if (result === undefined) return operation;
    const { index, term, refused, unknown } = result;
    return {
      ...operation,
      index,
      term,
      reason: refused ?? '',
      state: unknown ? 'unknown' : refused === null ? 'appended' : 'refused',
    };
  }
  if (kind === 'read') {
    const result = output.reads.find((each) => each.id === id);
    if (result === undefined) return operation;
    const { index, refused } = result;
    return { ...operation, index, reason: refused ?? '', state: refused === null ? 'confirmed' : 'refused' };
  }
  const result = output.transfers.find((each) => each.id === id);
  if (result === undefined) return operation;
  return { ...operation, reason: result.outcome, state: result.outcome === 'done' ? 'appended' : 'refused' };
}

/** It is answered when the machine of the server that was asked has got that far. */
function atMachine(
  operation: CoreOperation,
  { machine }: CoreServer,
  applied: Turned['applied'],
  ended: Pick<CoreOperation, 'endedAt' | 'endedStep'>,
): CoreOperation {
  const { kind, state, index, term } = operation;
  if (state === 'confirmed') {
    return machine.index >= index ? { ...operation, state: 'done', value: machine.digest, ...ended } : operation;
  }
  if (state !== 'appended') return operation;
  if (kind === 'transfer') return { ...operation, state: 'done', ...ended };
  if (machine.index < index) return operation;
  if (kind === 'change') return { ...operation, state: 'done', ...ended };
  const own = applied.find((each) => each.index === index);
  // Another entry came to stand in its place, or a snapshot brought it: then nobody here can tell.
  if (own?.term !== term) return { ...operation, state: own === undefined ? 'unknown' : 'refused', ...ended };
  return { ...operation, state: 'done', value: own.digest, ...ended };
}
