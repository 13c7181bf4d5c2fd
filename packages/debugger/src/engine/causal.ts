/** What led to a step: the steps before it on the same server, and those that sent what it received, back to the beginning. */
import type { StepRecord } from './step-record.ts';

/** The numbers of all steps in the causal past of `step`, itself included, ascending. */
export function causalPast(records: readonly StepRecord[], step: number): readonly number[] {
  const past = new Set<number>([step]);
  // Causes lie before their effect: one walk from the end finds all.
  for (let at = step; at >= 1; at--) {
    if (!past.has(at)) continue;
    for (const cause of records[at - 1]?.causes ?? []) past.add(cause);
  }
  return [...past].filter((each) => each >= 1).sort((a, b) => a - b);
}

/** The steps between two facts: those that the first led to and that led to the second. Both included. */
export function causalSlice(records: readonly StepRecord[], first: number, second: number): readonly number[] {
  const past = causalPast(records, second);
  const led = new Set<number>([first]);
  for (const at of past) {
    if (at > first && (records[at - 1]?.causes ?? []).some((cause) => led.has(cause))) led.add(at);
  }
  return past.filter((at) => led.has(at));
}

/** A place for each step such that causes come first and what is independent stands side by side: Lamport's clock. */
export function causalRanks(records: readonly StepRecord[]): readonly number[] {
  const ranks: number[] = [];
  for (const { causes } of records) {
    let rank = 0;
    for (const cause of causes) rank = Math.max(rank, (ranks[cause - 1] ?? -1) + 1);
    ranks.push(rank);
  }
  return ranks;
}
