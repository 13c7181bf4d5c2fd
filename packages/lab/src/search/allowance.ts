/** How much of everything that could go on for ever may happen in a stage of a search. What was spent in the stage before does not count. */

export interface Allowance {
  /**
   * Time-outs of each server that can be noticed: something is called, saved, applied, or another term or role comes of them. A server without a number has none
   * of these: its clock is slow.
   */
  readonly timeouts: readonly number[];
  /** Of the others so many of each timer of each server: its armings and its own state are all that they change. */
  readonly unnoticed: number;
  /** Servers whose clocks stand still: none of their timers runs out. */
  readonly stopped: readonly number[];
  /** Commands that clients want in the log, of servers that say that they lead. */
  readonly requests: number;
  readonly crashes: number;
  /** Calls that end without an answer although both servers are there. Where one is down or cut off any call may, and costs nothing. */
  readonly failures: number;
  readonly duplicates: number;
  readonly snapshots: number;
  readonly changes: number;
  /** Whether messages arrive also where nothing comes of it. Otherwise they might as well never arrive, and are left out. */
  readonly vain: boolean;
}

export const nothingAllowed: Allowance = {
  timeouts: [],
  unnoticed: 1,
  stopped: [],
  requests: 0,
  crashes: 0,
  failures: 0,
  duplicates: 0,
  snapshots: 0,
  changes: 0,
  vain: false,
};

/** The budgets that are counted for the cluster as a whole. */
export type SharedBudget = 'requests' | 'crashes' | 'failures' | 'duplicates' | 'snapshots' | 'changes';
export const sharedBudgets: readonly SharedBudget[] = [
  'requests',
  'crashes',
  'failures',
  'duplicates',
  'snapshots',
  'changes',
];

/** In words, for reports. */
export function boundsOf(allowance: Allowance): string {
  const timeouts = allowance.timeouts.some((count) => count > 0)
    ? [`time-outs ${allowance.timeouts.map((count) => String(count)).join('/')}`]
    : [];
  const shared = sharedBudgets.filter((name) => allowance[name] > 0).map((name) => `${name} ${allowance[name]}`);
  return [...timeouts, ...shared].join(', ') || 'deliveries alone';
}
