/** What of a stage's budgets is spent, as plain data that nobody changes. */
import { finish, mixA } from '@quorate/sim';
import { type SharedBudget, sharedBudgets } from './allowance.ts';
import { lanesOfCode } from './plain-code.ts';

export interface Spent {
  /** By the order of `sharedBudgets`. */
  readonly shared: readonly number[];
  /** Time-outs that could be noticed, by server. */
  readonly noticed: readonly number[];
  /** The others by timer: `server name`. */
  readonly unnoticed: ReadonlyMap<string, number>;
}

export function nothingSpent(servers: number): Spent {
  return {
    shared: sharedBudgets.map(() => 0),
    noticed: Array.from({ length: servers }, () => 0),
    unnoticed: new Map(),
  };
}

export function spentOf({ shared }: Spent, budget: SharedBudget): number {
  return shared[sharedBudgets.indexOf(budget)] ?? 0;
}

export function unnoticedOf({ unnoticed }: Spent, server: number, timer: string): number {
  return unnoticed.get(`${server} ${timer}`) ?? 0;
}

export function withSpent(spent: Spent, budget: SharedBudget): Spent {
  const at = sharedBudgets.indexOf(budget);
  return { ...spent, shared: spent.shared.with(at, (spent.shared[at] ?? 0) + 1) };
}

export function withTimeout(spent: Spent, server: number, timer: string, isNoticed: boolean): Spent {
  if (isNoticed) return { ...spent, noticed: spent.noticed.with(server, (spent.noticed[server] ?? 0) + 1) };
  const count = unnoticedOf(spent, server, timer) + 1;
  return { ...spent, unnoticed: new Map(spent.unnoticed).set(`${server} ${timer}`, count) };
}

/** One number for all of it; the order in which timers fired does not show. */
export function spentLane({ shared, noticed, unnoticed }: Spent): number {
  let lane = 0x3c6ef372;
  for (const count of shared) lane = mixA(lane, count);
  for (const count of noticed) lane = mixA(lane, count);
  let sum = 0;
  for (const [name, count] of unnoticed) sum = (sum + finish(laneOf(name), count)) | 0;
  return mixA(lane, sum);
}

/** Names of timers are few. */
const lanes = new Map<string, number>();

function laneOf(name: string): number {
  const known = lanes.get(name);
  if (known !== undefined) return known;
  const { a } = lanesOfCode(name);
  lanes.set(name, a);
  return a;
}
