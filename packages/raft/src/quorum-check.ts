/**
 * CheckQuorum (dissertation §6.2): a leader that a majority no longer answers steps down, so that its clients look elsewhere
 * and a partial partition cannot keep a useless leader in office. The same clock finds a leader that is ill in other ways, though its
 * heartbeats go out: its process slept, or its disk stands still.
 */
import { isVoter, tally } from './configuration.ts';
import { currentConfiguration } from './membership.ts';
import { becomeFollower } from './role.ts';
import { standBackAsDeposed } from './standing-back.ts';
import type { Core, Leadership } from './state.ts';
import { armTimer } from './timers.ts';
import { handOver } from './transfer.ts';

/** Checks without any progress of the oldest write, after which the disk counts as stalled. */
const stalledAfter = 2;

export function onQuorumCheckTimeout(core: Core): void {
  const { state, options } = core;
  const { leadership } = state;
  if (leadership === null) return;
  const hasSlept = state.now - leadership.checkedAt > 2 * options.electionTimeoutMin;
  leadership.checkedAt = state.now;
  noteDisk(core, leadership, hasSlept);
  const fault = whyUnfit(core, leadership, hasSlept);
  if (fault !== null) {
    standBackAsDeposed(core);
    becomeFollower(core, state.term, null, fault);
    return;
  }
  if (hasSlept) demandProof(leadership);
  for (const progress of leadership.progress) {
    progress.wasActive = progress.active;
    progress.active = false;
  }
  armTimer(core, 'quorumCheck', options.electionTimeoutMin, options.electionTimeoutMin);
}

function whyUnfit(core: Core, leadership: Leadership, hasSlept: boolean): string | null {
  const { proofRound, confirmedRound, stalledChecks } = leadership;
  if (confirmedRound < proofRound) return 'no majority confirmed it after its process had slept';
  // What was answered before it slept says nothing of now.
  if (!hasSlept && !isAnswered(core, leadership)) return 'no majority answered for an election timeout';
  if (stalledChecks < stalledAfter || !hasOtherVoters(core, leadership)) return null;
  if (stalledChecks > stalledAfter) return 'its disk stands still, and nobody took over';
  if (!handOver(core, leadership)) return 'its disk stands still, and nobody can take over';
  standBackAsDeposed(core);
  return null;
}

function isAnswered(core: Core, leadership: Leadership): boolean {
  const answered = tally(
    currentConfiguration(core.state),
    (id) => id === core.options.id || leadership.progress.some((progress) => progress.id === id && progress.active),
  );
  return answered === 'won';
}

function hasOtherVoters(core: Core, leadership: Leadership): boolean {
  const configuration = currentConfiguration(core.state);
  return leadership.progress.some(({ id }) => isVoter(configuration, id));
}

/** It goes on only if a majority answers what is sent from now on; old answers may still wait to be read. */
function demandProof(leadership: Leadership): void {
  leadership.proofRound = leadership.round + 1;
  leadership.roundDue = true;
}

function noteDisk(core: Core, leadership: Leadership, hasSlept: boolean): void {
  const oldest = core.state.durability.outstanding[0]?.id ?? 0;
  // While the process slept nobody could have told it that the write was done.
  const isStill = !hasSlept && oldest !== 0 && oldest === leadership.oldestBatch;
  leadership.stalledChecks = isStill ? leadership.stalledChecks + 1 : 0;
  leadership.oldestBatch = oldest;
}
