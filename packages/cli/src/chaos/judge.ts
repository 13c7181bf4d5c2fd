/** The history of a run, group by group: is there an order that explains it? */
import { setImmediate as turn } from 'node:timers/promises';
import { checkLinearizability, type Operation, unplaceable, Violation } from '@quorate/sim';
import type { Group } from './groups.ts';
import { checkSightings } from './sightings.ts';

/** Operations that the search tries in one group before it gives up: a few seconds. */
const STEP_BUDGET = 2_000_000;

export interface Finding {
  readonly violation: Violation;
  /** The history in which it was found; empty where no history shows it. */
  readonly operations: readonly Operation[];
}

export interface Judgement {
  readonly findings: readonly Finding[];
  /** Parts of the history that an order explains. */
  readonly linearizable: number;
  /** Parts where the search gave up before it knew: neither right nor wrong, and no pass. */
  readonly undecided: readonly string[];
}

export async function judge(groups: readonly Group[]): Promise<Judgement> {
  const findings: Finding[] = [];
  const undecided: string[] = [];
  let linearizable = 0;
  for (const { name, operations } of groups) {
    // Whoever waits for a signal, or for the progress, gets a turn.
    await turn();
    try {
      checkSightings(operations);
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      findings.push({ violation: error, operations });
    }
    for (const part of checkLinearizability(operations, STEP_BUDGET)) {
      if (part.verdict.kind === 'ok') linearizable++;
      else if (part.verdict.kind === 'unknown') undecided.push(name);
      else findings.push({ violation: unplaceable(part.operations, part.verdict), operations: part.operations });
    }
  }
  return { findings, linearizable, undecided };
}
