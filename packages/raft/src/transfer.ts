/**
 * Leadership transfer (dissertation §3.10): the leader takes no more proposals, waits until the target has its whole log, and tells it to
 * stand at once. If the target is not elected within an election timeout, the leader goes on.
 */
import { isVoter } from './configuration.ts';
import { isBound } from './identity.ts';
import { endLease } from './lease.ts';
import { isLeaving } from './leaving.ts';
import { currentConfiguration } from './membership.ts';
import type { TransferResult } from './output.ts';
import { envelope, send } from './send.ts';
import type { Core, Leadership, Progress } from './state.ts';
import { armTimer, disarmTimer } from './timers.ts';
import type { MemberId } from './types.ts';
import { mayUse } from './versions.ts';

export function onTransfer(core: Core, id: number, wanted: MemberId | null): void {
  const { state, options, out } = core;
  const { leadership } = state;
  const refuse = (outcome: TransferResult['outcome']): void => void out.transfers.push({ id, outcome });
  if (leadership === null || leadership.recovering) return refuse('noLeader');
  if (!mayUse(core, 'leadershipTransfer')) return refuse('versionTooOld');
  if (state.transfer !== null || isLeaving(core)) return refuse('busy');
  if (wanted === options.id) return refuse('done');
  const target = wanted === null ? closest(core, leadership) : leadership.progress.find((it) => it.id === wanted);
  if (target === undefined || target === null || !mayLead(core, target)) return refuse('noTarget');
  begin(core, id, target.id);
}

/** Leadership goes to the closest voter although nobody asked for it. False if there is none that could take it. */
export function handOver(core: Core, leadership: Leadership): boolean {
  if (core.state.transfer !== null) return true;
  const target = leadership.recovering ? null : heirOf(core, leadership);
  if (target !== null) begin(core, null, target.id);
  return target !== null;
}

function begin(core: Core, id: number | null, target: MemberId): void {
  const { state, options } = core;
  state.transfer = { id, target, term: state.term, sent: false };
  armTimer(core, 'transfer', options.electionTimeoutMin, options.electionTimeoutMin);
}

/** Who may be told to stand although nobody asked for it; null where not every member understands that (versions.ts), or nobody can. */
export function heirOf(core: Core, leadership: Leadership): Progress | null {
  return mayUse(core, 'leadershipTransfer') ? closest(core, leadership) : null;
}

/** The voter that lacks the least, of those that answer. */
function closest(core: Core, leadership: Leadership): Progress | null {
  let best: Progress | null = null;
  for (const progress of leadership.progress) {
    if (mayLead(core, progress) && (best === null || isCloser(progress, best))) best = progress;
  }
  return best;
}

/** What a state machine lacks is felt for longer than what a log does. */
function isCloser(one: Progress, other: Progress): boolean {
  return one.behind === other.behind ? one.match > other.match : other.behind;
}

function mayLead(core: Core, { id, active, wasActive }: Progress): boolean {
  return isVoter(currentConfiguration(core.state), id) && isBound(core, id) && (active || wasActive);
}

/** Tells the target to stand as soon as it has everything. Called for every output. */
export function driveTransfer(core: Core, leadership: Leadership): void {
  const { transfer, log } = core.state;
  if (transfer === null || transfer.sent) return;
  const target = leadership.progress.find((it) => it.id === transfer.target);
  if (target === undefined || target.match < log.lastIndex) return;
  transfer.sent = true;
  endLease(leadership);
  send(core, { kind: 'timeoutNow', ...envelope(core, transfer.target) });
}

/** A heartbeat's time has passed since it was told: the word may have been lost. */
export function repeatTransfer(core: Core): void {
  if (core.state.transfer !== null) core.state.transfer.sent = false;
}

/** Another leader is known: whether it is the one that was meant. */
export function concludeTransfer(core: Core): void {
  const { transfer, leader, term } = core.state;
  if (transfer === null || leader === null || term === transfer.term) return;
  conclude(core, leader === transfer.target ? 'done' : 'leadershipLost');
}

export function onTransferTimeout(core: Core): void {
  const { transfer, leadership, log } = core.state;
  if (transfer === null) return;
  if (leadership === null) return conclude(core, 'leadershipLost');
  const target = leadership.progress.find((it) => it.id === transfer.target);
  conclude(core, target !== undefined && target.match >= log.lastIndex ? 'timedOut' : 'behind');
}

function conclude(core: Core, outcome: TransferResult['outcome']): void {
  const { state, out } = core;
  if (state.transfer === null) return;
  const { id } = state.transfer;
  if (id !== null) out.transfers.push({ id, outcome });
  state.transfer = null;
  disarmTimer(core, 'transfer');
}

/** Whether leadership is being handed over: nothing is appended meanwhile. */
export function isHandingOver(core: Core): boolean {
  const { leadership, transfer } = core.state;
  return leadership !== null && (transfer !== null || isLeaving(core));
}
