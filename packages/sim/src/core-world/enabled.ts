/** What can be done in a core world now, and why the rest cannot. */
import type { MemberId, TimerName } from '@quorate/raft';
import type { CoreAction } from './action.ts';
import { entryOn, lastIndexOf } from './disk.ts';
import type { BudgetName, Setting } from './options.ts';
import { runsOutBefore, type CoreServer } from './server.ts';
import type { Flight } from './report.ts';

/** What is asked of a world. */
export interface Situation {
  readonly setting: Setting;
  readonly servers: readonly CoreServer[];
  readonly flights: readonly Flight[];
  server(id: MemberId): CoreServer | null;
  flight(id: number): Flight | null;
  spent(budget: BudgetName): number;
  isCut(from: MemberId, to: MemberId): boolean;
}

/** The budget that an action draws on, or null. */
export function budgetOf(action: CoreAction): BudgetName | null {
  switch (action.kind) {
    case 'drop':
      return 'drops';
    case 'duplicate':
      return 'duplicates';
    case 'timeout':
      return budgetOfTimer(action.timer);
    case 'propose':
      return 'requests';
    case 'read':
      return 'reads';
    case 'change':
      return 'changes';
    case 'transfer':
      return 'transfers';
    case 'compact':
      return 'snapshots';
    case 'crash':
    case 'crashAtDisk':
      return 'crashes';
    case 'pause':
      return 'pauses';
    case 'damage':
      return 'damage';
    case 'cut':
      return 'cuts';
    default:
      return null;
  }
}

function budgetOfTimer(timer: TimerName): BudgetName | null {
  switch (timer) {
    case 'election':
      return 'elections';
    case 'stickiness':
      return 'stickiness';
    case 'heartbeat':
    case 'commitNotice':
      return 'heartbeats';
    default:
      return null;
  }
}

/** Why this cannot be done now; null if it can. */
export function whyNot(world: Situation, action: CoreAction): string | null {
  const budget = budgetOf(action);
  if (budget !== null) {
    const limit = world.setting.budgets[budget];
    if (limit !== null && world.spent(budget) >= limit) return `the budget of ${limit} ${budget} is spent`;
  }
  switch (action.kind) {
    case 'deliver':
    case 'drop':
    case 'duplicate':
      return whyNoMessage(world, action.kind, action.message);
    case 'delay':
      return whyNoDelay(world, action.message, action.by);
    case 'cut':
    case 'mend':
    case 'heal':
      return whyNoLink(world, action);
    case 'restage':
      return null;
    default: {
      const server = world.server(action.server);
      return server === null ? `there is no server ${action.server}` : whyNotAt(world, server, action);
    }
  }
}

function whyNoMessage(world: Situation, kind: 'deliver' | 'drop' | 'duplicate', id: number): string | null {
  const flight = world.flight(id);
  if (flight === null) return `message ${id} is not in flight`;
  const { message } = flight;
  // A transport carries a proposal once (message.ts of the core).
  if (kind === 'duplicate') return message.kind === 'propose' ? 'a proposal is carried once' : null;
  if (kind === 'drop') return null;
  if (world.isCut(message.from, message.to)) return `the link from ${message.from} to ${message.to} is cut`;
  const to = world.server(message.to);
  if (to === null || to.raft === null) return `${message.to} is down`;
  if (to.status === 'paused') return `${message.to} is paused`;
  const highest = world.setting.budgets.terms;
  if (message.kind === 'timeoutNow' && highest !== null && to.raft.term >= highest) return pastTerms(highest);
  return null;
}

function whyNoDelay(world: Situation, id: number, by: number): string | null {
  if (world.setting.timing === 'order') return 'there is no clock here: a message arrives when it is chosen';
  if (!(Number.isInteger(by) && by > 0)) return `a delay is a whole number of microseconds from 1 on, not ${by}`;
  return world.flight(id) === null ? `message ${id} is not in flight` : null;
}

function pastTerms(highest: number): string {
  return `it would begin a term behind ${highest}, the budget of terms`;
}

function whyNoLink(world: Situation, action: Extract<CoreAction, { kind: 'cut' | 'mend' | 'heal' }>): string | null {
  const { setting } = world;
  if (action.kind === 'heal') {
    const isAnyCut = setting.ids.some((from) => setting.ids.some((to) => world.isCut(from, to)));
    return isAnyCut ? null : 'no link is cut';
  }
  const { from, to } = action;
  if (from === to || !setting.ids.includes(from) || !setting.ids.includes(to))
    return `there is no link from ${from} to ${to}`;
  if (action.kind === 'cut') return world.isCut(from, to) ? 'it is cut' : null;
  return world.isCut(from, to) ? null : 'it is not cut';
}

type AtServer = Extract<CoreAction, { readonly server: MemberId }>;

function whyNotAt(world: Situation, server: CoreServer, action: AtServer): string | null {
  const { id, status } = server;
  if (action.kind === 'restart')
    return status === 'down' ? null : status === 'broken' ? `${id} is broken: ${server.failure}` : `${id} runs`;
  if (action.kind === 'damage') return whyNoDamage(server, action.index);
  if (status === 'down' || status === 'broken') return `${id} is down`;
  if (action.kind === 'crash') {
    if (action.keep > server.pending.length) return `${id} has only ${server.pending.length} writes under way`;
    return action.keep > 0 && !world.setting.tornCrashes ? 'crashes lose every write that is under way here' : null;
  }
  if (action.kind === 'resume') return status === 'paused' ? null : `${id} is not paused`;
  if (status === 'paused') return `${id} is paused`;
  return whyNotRunning(world, server, action);
}

function whyNoDamage({ id, status, disk }: CoreServer, index: number): string | null {
  if (status === 'running' || status === 'paused')
    return `${id} runs: damage is done, and found, while a server is down`;
  if (entryOn(disk, index) === undefined) return `entry ${index} is not in the log of ${id}`;
  return disk.faulty.includes(index) ? 'it is damaged' : null;
}

function whyNotRunning(world: Situation, server: CoreServer, action: AtServer): string | null {
  const { id } = server;
  switch (action.kind) {
    case 'timeout':
      return whyNoTimeout(world, server, action.timer);
    case 'persist':
      return server.pending.length === 0 ? `${id} writes nothing` : null;
    case 'apply':
      return whyNoApply(server);
    case 'load':
      return server.loads.length === 0 ? `${id} reads nothing from its disk` : null;
    case 'snapshotSent':
      return server.reports.length === 0 ? `no transfer of a snapshot from ${id} has ended` : null;
    case 'compact':
      return whyNoSnapshot(server);
    case 'propose':
    case 'read':
    case 'change':
      return world.setting.clients === 'leaders' && server.raft?.role !== 'leader' ? `${id} does not lead` : null;
    case 'transfer':
      if (server.raft?.role !== 'leader') return `${id} does not lead`;
      return action.target === id ? `${id} leads` : null;
    case 'crashAtDisk':
      return server.crashesAtDisk ? `${id} is about to crash` : null;
    default:
      return null;
  }
}

function whyNoTimeout(world: Situation, server: CoreServer, name: string): string | null {
  const timer = server.timers.find((each) => each.name === name);
  if (timer === undefined) return `no ${name} timer is armed at ${server.id}`;
  const earlier = runsOutBefore(server.timers, timer);
  if (earlier !== null) return `its ${earlier.name} timer runs out before`;
  const highest = world.setting.budgets.terms;
  const isPast = name === 'election' && highest !== null && (server.raft?.term ?? 0) >= highest;
  return isPast ? pastTerms(highest) : null;
}

function whyNoApply({ id, restore, durableBatch, applies }: CoreServer): string | null {
  if (restore !== null && restore.after > durableBatch) return 'the snapshot is not on its disk yet';
  return restore === null && applies.length === 0 ? `nothing waits to be applied at ${id}` : null;
}

/** A server may keep a snapshot of what its durable log holds, and only of a configuration that it knows. */
function whyNoSnapshot({ id, machine, disk, pending, restore }: CoreServer): string | null {
  if (machine.index <= disk.snapshot.index) return `${id} has applied nothing since its last snapshot`;
  if (restore !== null) return `${id} is taking another server's snapshot`;
  if (pending.length > 0 || machine.index > lastIndexOf(disk))
    return `${id} is writing what the snapshot would stand for`;
  return null;
}

/** Whatever one might want to do; `whyNot` tells which of it can be done. Cuts, pauses and damage only where their budgets allow any. */
export function candidatesOf(world: Situation): CoreAction[] {
  const { setting, servers, flights } = world;
  const offers = (budget: BudgetName): boolean => setting.budgets[budget] !== 0;
  const actions: CoreAction[] = [];
  for (const { id } of flights) {
    actions.push({ kind: 'deliver', message: id });
    if (offers('drops')) actions.push({ kind: 'drop', message: id });
    if (offers('duplicates')) actions.push({ kind: 'duplicate', message: id });
  }
  for (const server of servers) addServer(actions, setting, server, offers);
  if (offers('cuts')) {
    for (const from of setting.ids) {
      for (const to of setting.ids)
        if (from !== to) actions.push({ kind: world.isCut(from, to) ? 'mend' : 'cut', from, to });
    }
    actions.push({ kind: 'heal' });
  }
  return actions;
}

function addServer(
  actions: CoreAction[],
  setting: Setting,
  record: CoreServer,
  offers: (budget: BudgetName) => boolean,
): void {
  const { id: server, status } = record;
  if (status === 'down' || status === 'broken') {
    actions.push({ kind: 'restart', server });
    if (offers('damage')) for (const { index } of record.disk.entries) actions.push({ kind: 'damage', server, index });
    return;
  }
  for (const { name } of record.timers) actions.push({ kind: 'timeout', server, timer: name });
  actions.push({ kind: 'persist', server }, { kind: 'apply', server }, { kind: 'load', server });
  actions.push({ kind: 'snapshotSent', server });
  if (offers('requests')) actions.push({ kind: 'propose', server });
  if (offers('reads')) actions.push({ kind: 'read', server });
  if (offers('changes')) for (const change of setting.changes) actions.push({ kind: 'change', server, change });
  if (offers('transfers')) {
    for (const target of setting.ids) if (target !== server) actions.push({ kind: 'transfer', server, target });
  }
  if (offers('snapshots')) actions.push({ kind: 'compact', server });
  if (offers('crashes')) {
    const most = setting.tornCrashes ? record.pending.length : 0;
    for (let keep = 0; keep <= most; keep++) actions.push({ kind: 'crash', server, keep });
    if (setting.timing === 'clock') actions.push({ kind: 'crashAtDisk', server });
  }
  if (offers('pauses')) actions.push({ kind: status === 'paused' ? 'resume' : 'pause', server });
}
