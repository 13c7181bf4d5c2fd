import { type BudgetName, budgetNames, type CoreWorld } from '@quorate/sim';

/** How much more of each may happen from a moment on; nothing of what is not named. Messages, disks and timers go on by themselves. */
export type Allowances = Readonly<Partial<Record<BudgetName, number>>>;

/** The world as it is, with budgets for what comes after. `from` is left as it is; what is spent already counts. */
export function startFrom(from: CoreWorld, allowances: Allowances): CoreWorld {
  const start = from.clone();
  const budgets = Object.fromEntries(budgetNames.map((name) => [name, from.spent(name) + (allowances[name] ?? 0)]));
  start.perform({ kind: 'restage', stage: 'from here', budgets, forget: false });
  return start;
}
