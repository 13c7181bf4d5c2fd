/** The budgets of the core world, as a search tells of them. */
import { type BudgetName, budgetNames } from '../core-world/options.ts';
import type { CoreWorld } from '../core-world/world.ts';
import type { SearchResult } from './search.ts';

/** What draws on each budget, as it is counted; nothing is counted for terms. */
const drawsOn: Readonly<Record<BudgetName, readonly string[]>> = {
  terms: [],
  elections: ['election timeout'],
  stickiness: ['stickiness timeout'],
  heartbeats: ['heartbeat timeout', 'commitNotice timeout'],
  requests: ['propose'],
  reads: ['read'],
  changes: ['change'],
  transfers: ['transfer'],
  snapshots: ['compact'],
  crashes: ['crash', 'crashAtDisk'],
  pauses: ['pause'],
  damage: ['damage'],
  cuts: ['cut'],
  drops: ['drop'],
  duplicates: ['duplicate'],
};

/** Budgets that allowed something which could never be done: the search says nothing about it, and a goal may be missed for it. */
export function untouched({ setting }: CoreWorld, { taken }: SearchResult): readonly BudgetName[] {
  return budgetNames.filter(
    (name) => name !== 'terms' && setting.budgets[name] !== 0 && !drawsOn[name].some((kind) => taken.has(kind)),
  );
}

/** The budgets that a search is bounded by, in words. */
export function boundsOf({ setting }: CoreWorld): string {
  const { budgets, lost } = setting;
  const some = budgetNames.filter((name) => budgets[name] !== null && budgets[name] !== 0);
  const no = budgetNames.filter((name) => budgets[name] === 0);
  const limited = some.map((name) => `${name} ${budgets[name]}`).join(', ');
  const absent = no.length === 0 ? '' : `; no ${no.join(', ')}`;
  return `${limited}${absent}${lost.length === 0 ? '' : `; lost: ${lost.join(', ')}`}`;
}
