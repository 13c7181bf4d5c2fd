/** Whether answers are linearizable, key by key: each key is a register of text. */
import { linearize, type Model, type Verdict } from '@quorate/sim';
import { type KvOperation, showAnswer, showRequest, showValue } from './operations.ts';

/** Operations tried for a key before its search gives up, as the course's suite does behind a second. */
const STEP_BUDGET = 100_000;
/** Operations of the longest order that a message shows. */
const SHOWN = 6;

/** What the key holds; null if there is no such key. */
export const registerModel: Model<KvOperation, string | null> = {
  initial: null,
  step: (state, { request, answer }) => {
    switch (request.kind) {
      case 'get':
        return answer === null || (answer.kind === 'value' && answer.value === state) ? [state] : [];
      case 'put':
        return [request.value];
      case 'append':
        return [(state ?? '') + request.value];
      case 'cas': {
        if (answer === null) return [state === request.from ? request.to : state];
        const expected = state === null ? 'absent' : state === request.from ? 'done' : 'mismatch';
        if (answer.kind !== expected) return [];
        return [expected === 'done' ? request.to : state];
      }
    }
  },
  identify: (state) => (state === null ? '' : `=${state}`),
};

/** The operations on one key, and that no order explains them. */
export interface KvViolation {
  readonly key: string;
  readonly operations: readonly KvOperation[];
  readonly verdict: Extract<Verdict, { readonly kind: 'violation' }>;
}

export interface KvJudgement {
  readonly violation: KvViolation | null;
  /** Keys whose search was given up: nothing was found against them. */
  readonly unknown: readonly string[];
}

export function judge(history: readonly KvOperation[]): KvJudgement {
  const unknown: string[] = [];
  for (const [key, operations] of byKey(history)) {
    const timed = operations.map((operation) => {
      const { called, returned } = operation;
      return { operation, called, returned };
    });
    const verdict = linearize(registerModel, timed, STEP_BUDGET);
    if (verdict.kind === 'violation') return { violation: { key, operations, verdict }, unknown };
    if (verdict.kind === 'unknown') unknown.push(key);
  }
  return { violation: null, unknown };
}

function byKey(history: readonly KvOperation[]): ReadonlyMap<string, KvOperation[]> {
  const keys = new Map<string, KvOperation[]>();
  for (const operation of history) {
    // An unanswered get tells nothing.
    if (operation.request.kind === 'get' && operation.answer === null) continue;
    const of = keys.get(operation.key);
    if (of === undefined) keys.set(operation.key, [operation]);
    else of.push(operation);
  }
  return keys;
}

/** Which operations, for whoever must find out why. */
export function violationLines({ key, operations, verdict: { prefix, stuck } }: KvViolation): string[] {
  const placed = prefix.flatMap((at) => operations[at] ?? []);
  const misfit = operations[stuck];
  let state = registerModel.initial;
  for (const operation of placed) state = registerModel.step(state, operation)[0] ?? state;
  const lines = [
    `the answers for key ${JSON.stringify(key)} are not linearizable: ${placed.length} of ${operations.length} operations fit into an order, the last of them:`,
    ...placed.slice(-SHOWN).map((each) => `  ${line(each)}`),
  ];
  if (misfit === undefined) return lines;
  return [...lines, `then the key holds ${showValue(state)}, and no order takes in:`, `  ${line(misfit)}`];
}

function line(operation: KvOperation): string {
  const { client, called, returned } = operation;
  const seconds = (at: number): string => (at / 1000).toFixed(4);
  const until = returned === null ? '…' : seconds(returned);
  return `client ${client}, ${seconds(called)} to ${until} s: ${showRequest(operation)} → ${showAnswer(operation)}`;
}
