/** What clients asked and got, with an order that explains it: linearizability, operation by operation. */
import { type CoreOperation, type CoreWorld, linearize, type Model, type Timed } from '@quorate/sim';
import { CommitSteps } from './commit-steps.ts';
import type { StepRecord } from './step-record.ts';

export interface HistoryView {
  /** The moment that it is of. */
  readonly now: number;
  /** Why there is none, in words; null where there is one. */
  readonly absent: string | null;
  readonly operations: readonly OperationView[];
  readonly verdict: 'ok' | 'violation' | 'unknown';
  /** In words: what the verdict means here. */
  readonly text: string;
  /** Times in which a server was down, or links were cut. */
  readonly troubles: readonly Trouble[];
}

export interface OperationView {
  readonly id: number;
  readonly kind: CoreOperation['kind'];
  readonly server: string;
  readonly state: CoreOperation['state'];
  readonly text: string;
  readonly calledAt: number;
  /** Null while it is open. */
  readonly endedAt: number | null;
  readonly calledStep: number;
  readonly endedStep: number | null;
  /** The step in which a leader first counted its entry committed; null if none has. */
  readonly committedStep: number | null;
  readonly index: number;
  /** Its place in the order that explains all answers, from 1; null if it has none. */
  readonly place: number | null;
  /** No order can take it in. */
  readonly isStuck: boolean;
}

export interface Trouble {
  readonly server: string | null;
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

/** A state machine that holds a digest of all commands in order: what a read sees, and what a write leaves. */
type Op =
  | { readonly kind: 'write'; readonly before: number; readonly after: number }
  | { readonly kind: 'read'; readonly saw: number };

const model: Model<Op, number> = {
  initial: 0x811c9dc5,
  step: (state, operation) => {
    if (operation.kind === 'read') return operation.saw === state ? [state] : [];
    return operation.before === state ? [operation.after] : [];
  },
  identify: String,
};

/** Operations tried before the judge gives up: answers come while a person waits. */
const stepBudget = 200_000;

/** Of what has none. */
export function noHistory(why: string): HistoryView {
  return { now: 0, absent: why, operations: [], verdict: 'unknown', text: '', troubles: [] };
}

/** Histories of one session's moments. From one to the next hardly anything changes that an order depends on: it is found once. */
export class Histories {
  #last: { readonly operations: unknown; readonly committed: unknown; readonly judgement: Judgement } | null = null;

  of(world: CoreWorld, records: readonly StepRecord[]): HistoryView {
    return {
      now: world.now,
      absent:
        world.setting.timing === 'clock'
          ? null
          : 'A world without a clock keeps no history: there is no real time for an order to respect.',
      ...this.#judgementOf(world, records),
      troubles: troublesOf(records, world.now),
    };
  }

  /** Worlds never change what they hold, but hold another: the same lists mean the same history. */
  #judgementOf(world: CoreWorld, records: readonly StepRecord[]): Judgement {
    const { operations } = world;
    const { committed } = world.ghost;
    if (this.#last === null || this.#last.operations !== operations || this.#last.committed !== committed)
      this.#last = { operations, committed, judgement: judge(world, records) };
    return this.#last.judgement;
  }
}

type Judgement = Pick<HistoryView, 'operations' | 'verdict' | 'text'>;

function judge(world: CoreWorld, records: readonly StepRecord[]): Judgement {
  const chain = chainOf(world);
  const commits = new CommitSteps(records);
  const judged = world.operations.flatMap((operation) => {
    const op = judgedAs(operation, chain);
    return op === null
      ? []
      : [{ operation, timed: { operation: op, called: operation.calledAt, returned: answeredAt(operation) } }];
  });
  const verdict = linearize(
    model,
    judged.map(({ timed }): Timed<Op> => timed),
    stepBudget,
  );
  const order = verdict.kind === 'ok' ? verdict.order : verdict.kind === 'violation' ? verdict.prefix : [];
  const stuck = verdict.kind === 'violation' ? judged[verdict.stuck]?.operation.id : undefined;
  const places = new Map(order.map((at, place) => [judged[at]?.operation.id ?? 0, place + 1]));
  return {
    operations: world.operations.map((operation) => ({
      ...shown(operation, commits),
      place: places.get(operation.id) ?? null,
      isStuck: operation.id === stuck,
    })),
    verdict: verdict.kind,
    text: wordsOf(verdict.kind, order.length, stuck),
  };
}

/** The digests before and after each committed command, by its text. */
function chainOf(world: CoreWorld): ReadonlyMap<string, { readonly before: number; readonly after: number }> {
  const chain = new Map<string, { readonly before: number; readonly after: number }>();
  const toText = new TextDecoder();
  let digest = model.initial;
  for (const { entry } of world.ghost.committed) {
    if (entry.kind !== 1) continue;
    let after = digest;
    for (const byte of entry.data) after = Math.imul(after ^ byte, 0x01000193) >>> 0;
    after = Math.imul(after ^ entry.index, 0x01000193) >>> 0;
    chain.set(toText.decode(entry.data), { before: digest, after });
    digest = after;
  }
  return chain;
}

/** Null for what has not happened, as far as anybody can know, or is no question to the state machine. */
function judgedAs(operation: CoreOperation, chain: ReturnType<typeof chainOf>): Op | null {
  const { kind, state, value, id } = operation;
  if (kind === 'read') return state === 'done' && value !== null ? { kind: 'read', saw: value } : null;
  if (kind !== 'propose') return null;
  const place = chain.get(`c${id}`);
  if (place === undefined) return state === 'done' ? { kind: 'write', before: -1, after: value ?? 0 } : null;
  return { kind: 'write', before: place.before, after: state === 'done' ? (value ?? place.after) : place.after };
}

/** What nobody can know the end of may take effect whenever it likes. */
function answeredAt({ state, endedAt }: CoreOperation): number | null {
  return state === 'done' ? endedAt : null;
}

function shown(operation: CoreOperation, commits: CommitSteps): Omit<OperationView, 'place' | 'isStuck'> {
  const { id, kind, server, state, calledAt, endedAt, calledStep, endedStep, index, reason } = operation;
  const what = kind === 'propose' ? `c${id}` : kind;
  return {
    id,
    kind,
    server,
    state,
    text: reason === '' ? what : `${what}: ${reason}`,
    calledAt,
    endedAt,
    calledStep,
    endedStep,
    committedStep: index === 0 ? null : commits.of(index),
    index,
  };
}

function wordsOf(verdict: HistoryView['verdict'], placed: number, stuck: number | undefined): string {
  switch (verdict) {
    case 'ok':
      return `Linearizable: ${placed} operations have an order that explains every answer.`;
    case 'violation':
      return `Not linearizable: no order can take in operation ${stuck ?? 0}.`;
    case 'unknown':
      return 'Too many operations overlap: the judge gave up before anything was proven.';
  }
}

export function troublesOf(records: readonly StepRecord[], now: number): readonly Trouble[] {
  const troubles: Trouble[] = [];
  const down = new Map<string, number>();
  for (const { kind, server, at } of records) {
    if (server === null) continue;
    if (kind === 'crash' || kind === 'pause') down.set(server, at);
    const since = down.get(server);
    if (since === undefined || (kind !== 'restart' && kind !== 'resume')) continue;
    troubles.push({ server, from: since, to: at, text: `${server} was down` });
    down.delete(server);
  }
  for (const [server, from] of down) troubles.push({ server, from, to: now, text: `${server} is down` });
  return troubles;
}
