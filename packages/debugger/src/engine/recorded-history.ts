/** What clients asked and were told in a recorded run, as it was known at one moment of it. */
import type { HistoryView, OperationView } from './history.ts';
import { CommitSteps } from './commit-steps.ts';
import { troublesOf } from './history.ts';
import type { StepRecord } from './step-record.ts';

export interface RecordedHistory {
  readonly operations: readonly RecordedOperation[];
  /** Of the whole run. */
  readonly verdict: HistoryView['verdict'];
  readonly text: string;
}

/** An operation with its end, which was not known before it came. */
export type RecordedOperation = Omit<OperationView, 'calledStep' | 'endedStep' | 'committedStep'>;

/** `records`: those up to the moment. */
export function historyAt(history: RecordedHistory, records: readonly StepRecord[], now: number): HistoryView {
  const { verdict, text, operations } = history;
  const committed = new CommitSteps(records);
  return {
    now,
    absent: null,
    verdict,
    text,
    operations: operations
      .filter(({ calledAt }) => calledAt <= now)
      .map((operation) => asKnown(operation, now, records, committed)),
    troubles: troublesOf(records, now),
  };
}

function asKnown(
  operation: RecordedOperation,
  now: number,
  records: readonly StepRecord[],
  committed: CommitSteps,
): OperationView {
  const { index, calledAt, endedAt } = operation;
  const hasEnded = endedAt !== null && endedAt <= now;
  const linked = {
    calledStep: stepAt(records, calledAt),
    committedStep: index === 0 ? null : committed.of(index),
    endedStep: hasEnded ? stepAt(records, endedAt) : null,
  };
  if (hasEnded || operation.state === 'unknown') return { ...operation, ...linked };
  return { ...operation, state: 'open', endedAt: null, ...linked };
}

/** The last step up to that time; 1 where there is none. */
export function stepAt(records: readonly StepRecord[], time: number): number {
  let [low, high] = [0, records.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((records[middle]?.at ?? 0) <= time) low = middle + 1;
    else high = middle;
  }
  return Math.max(1, low);
}
