/** What can happen now in a cluster that is searched, and why the rest cannot: the same for handlers and for the async style. */
import type { LabAction } from './action.ts';
import type { Allowance, SharedBudget } from './allowance.ts';
import { callerOf, type LabFlight } from './message.ts';
import type { SearchedServer } from './server.ts';

/** What is asked of a world. */
export interface Situation {
  readonly allowance: Allowance;
  readonly servers: readonly SearchedServer[];
  readonly flights: readonly LabFlight[];
  /** The members that a change would make, one offer each. */
  readonly offers: readonly (readonly number[])[];
  spent(budget: SharedBudget): number;
  /** Whether messages get from the one to the other. */
  isLinked(from: number, to: number): boolean;
  /** The names of all timers that are armed at a server. */
  timersOf(server: number): readonly string[];
  /** Why this timer cannot run out now; null if it can. */
  whyNoTimeout(server: number, timer: string): string | null;
  whyNoSnapshot(server: number): string | null;
}

const budgets: Readonly<Partial<Record<LabAction['kind'], SharedBudget>>> = {
  fail: 'failures',
  duplicate: 'duplicates',
  start: 'requests',
  snapshot: 'snapshots',
  change: 'changes',
  crash: 'crashes',
};

/** The budget that an action draws on, or null. */
export function budgetOf(world: Situation, action: LabAction): SharedBudget | null {
  // Who calls a server that is not there gets no answer, whatever the budget.
  if (action.kind === 'fail' && isUnreachable(world, action.message)) return null;
  return budgets[action.kind] ?? null;
}

function isUnreachable(world: Situation, id: number): boolean {
  const flight = world.flights.find((each) => each.id === id);
  if (flight === undefined) return false;
  const { from, to } = flight.message;
  const other = flight.message.kind === 'call' ? to : from;
  return world.servers[other]?.status !== 'up' || !world.isLinked(from, to);
}

/** Why this cannot be done now; null if it can. */
export function whyNot(world: Situation, action: LabAction): string | null {
  const budget = budgetOf(world, action);
  if (budget !== null) {
    const limit = world.allowance[budget];
    if (world.spent(budget) >= limit) return `the budget of ${limit} ${budget} is spent`;
  }
  switch (action.kind) {
    case 'deliver':
    case 'fail':
    case 'duplicate':
      return whyNoMessage(world, action.kind, action.message);
    case 'partition':
    case 'lose':
    case 'restage':
      return null;
    default: {
      const server = world.servers[action.server];
      return server === undefined ? `there is no server ${action.server}` : whyNotAt(world, server, action);
    }
  }
}

function whyNoMessage(world: Situation, kind: 'deliver' | 'fail' | 'duplicate', id: number): string | null {
  const message = world.flights.find((each) => each.id === id)?.message;
  if (message === undefined) return `message ${id} is not in flight`;
  if (kind === 'duplicate') return message.kind === 'answer' ? 'an answer comes once' : null;
  const receiver = kind === 'deliver' ? message.to : callerOf(message);
  if (kind === 'fail' && !message.isAwaited) return 'nobody waits for it';
  if (world.servers[receiver]?.status !== 'up') return `server ${receiver} is down`;
  return kind === 'deliver' && !world.isLinked(message.from, message.to) ? 'the network is cut there' : null;
}

type AtServer = Extract<LabAction, { readonly server: number }>;

function whyNotAt(world: Situation, server: SearchedServer, action: AtServer): string | null {
  const { id, status } = server;
  if (action.kind === 'restart') return status === 'up' ? `server ${id} runs` : null;
  if (status !== 'up') return `server ${id} is down`;
  switch (action.kind) {
    case 'timeout':
      return world.whyNoTimeout(id, action.timer);
    case 'snapshot':
      return world.whyNoSnapshot(id);
    case 'start':
    case 'change':
      return server.isLeader ? null : `server ${id} does not lead`;
    default:
      return null;
  }
}

/** Everything that can be done now: messages in the order of sending, then server by server. */
export function enabledIn(world: Situation): LabAction[] {
  return candidatesIn(world).filter((action) => whyNot(world, action) === null);
}

function candidatesIn(world: Situation): LabAction[] {
  const { allowance, flights, servers, offers } = world;
  const actions: LabAction[] = [];
  for (const { id: message } of flights) {
    actions.push({ kind: 'deliver', message }, { kind: 'fail', message });
    if (allowance.duplicates > 0) actions.push({ kind: 'duplicate', message });
  }
  for (const { id: server, status } of servers) {
    // What the scenario has stopped, it alone starts again.
    if (status === 'down') actions.push({ kind: 'restart', server });
    if (status !== 'up') continue;
    for (const timer of world.timersOf(server)) actions.push({ kind: 'timeout', server, timer });
    if (allowance.requests > 0) actions.push({ kind: 'start', server });
    if (allowance.snapshots > 0) actions.push({ kind: 'snapshot', server });
    if (allowance.changes > 0) for (const members of offers) actions.push({ kind: 'change', server, members });
    if (allowance.crashes > 0) actions.push({ kind: 'crash', server });
  }
  return actions;
}
