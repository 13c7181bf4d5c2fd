/** What the stages of search tests begin with, in words, and the stage that most of them begin with. */
import { goal } from '@quorate/sim';
import type { LabAction } from '../search/action.ts';
import { leads } from '../search/goals.ts';
import type { SearchStage } from './search-test.ts';

/** Which of the servers reach each other. */
export function sides(...each: readonly (readonly number[])[]): LabAction {
  return { kind: 'partition', sides: each };
}

/** A client wants the next command, c1, c2 …, of that server. */
export function client(server: number): LabAction {
  return { kind: 'start', server };
}

/** What is in flight between the two is lost; null: whoever it is. */
export function lose(from: number | null, to: number | null): LabAction {
  return { kind: 'lose', from, to };
}

export function crash(server: number): LabAction {
  return { kind: 'crash', server };
}

export function restart(server: number): LabAction {
  return { kind: 'restart', server };
}

export function snapshot(server: number): LabAction {
  return { kind: 'snapshot', server };
}

export const zeroLeads: SearchStage = {
  name: 'server 0 leads',
  budgets: { timeouts: [2, 0, 0] },
  goal: goal('server 0 leads', leads(0)),
};
