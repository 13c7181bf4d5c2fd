/** What of a stage's budgets is spent, as plain data that nobody changes. */
import { finish, mixA } from '@quorate/sim';
import { type SharedBudget, sharedBudgets } from './allowance.ts';
import { lanesOfCode } from './plain-code.ts';

export interface Spent {
  /** By the order of `sharedBudgets`. */
  readonly shared: readonly number[];
  /** Time-outs that could be noticed, by server. */
  readonly noticed: readonly number[];
  /** Time-outs by timer: `server name`. */
  readonly fired: ReadonlyMap<string, number>;
}

export function nothingSpent(servers: number): Spent {
  return {
    shared: sharedBudgets.map(() => 0),
    noticed: Array.from({ length: servers }, () => 0),
    fired: new Map(),
  };
}

export function spentOf({ shared }: Spent, budget: SharedBudget): number {
  return shared[sharedBudgets.indexOf(budget)] ?? 0;
}

export function firedOf({ fired }: Spent, server: number, timer: string): number {
  return fired.get(`${server} ${timer}`) ?? 0;
}

export function withSpent(spent: Spent, budget: SharedBudget): Spent {
  const at = sharedBudgets.indexOf(budget);
  return { ...spent, shared: spent.shared.with(at, (spent.shared[at] ?? 0) + 1) };
}

export function withFired(spent: Spent, server: number, timer: string, isNoticed: boolean): Spent {
  const fired = new Map(spent.fired).set(`${server} ${timer}`, firedOf(spent, server, timer) + 1);
  const noticed = isNoticed ? spent.noticed.with(server, (spent.noticed[server] ?? 0) + 1) : spent.noticed;
  return { ...spent, noticed, fired };
}

/** One number for all of it; the order in which timers fired does not show. */
export function spentLane({ shared, noticed, fired }: Spent): number {
  let lane = 0x3c6ef372;
  for (const count of shared) lane = mixA(lane, count);
  for (const count of noticed) lane = mixA(lane, count);
  let sum = 0;
  for (const [name, count] of fired) sum = (sum + finish(laneOf(name), count)) | 0;
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
