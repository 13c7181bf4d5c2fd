/**
 * Lease reads (dissertation §6.4.1): while a quorum is sure to protect its leader, no other can be elected, so the leader answers
 * reads at once. A follower protects it for `electionTimeoutMin` from when it heard a heartbeat, which is not before that was sent.
 * So the lease counts from the sending, on the leader's clock, and is shorter by what the two clocks may differ in that time.
 */
import type { RaftOptions } from './options.ts';
import type { Core, Leadership } from './state.ts';
import { armTimer } from './timers.ts';
import type { Micros } from './types.ts';

/** What leases hang on. */
export type LeaseOptions = Pick<RaftOptions, 'leaseReads' | 'electionTimeoutMin' | 'maxClockDrift'>;

export interface Lease {
  /** When the rounds left that no quorum has answered yet, oldest first; bounded by what one lease's time can hold. */
  sent: { readonly round: number; readonly at: Micros }[];
  /** When the newest round left that a quorum has answered; null for none. */
  since: Micros | null;
  /** TimeoutNow was sent in this term, and may still arrive: its target is elected past all protection. */
  ended: boolean;
}

export function noLease(): Lease {
  return { sent: [], since: null, ended: false };
}

/**
 * How long a lease lasts. A leader's clock that runs slow by `maxClockDrift` takes this length for as long as a follower's clock that
 * runs fast by as much takes `electionTimeoutMin`. Microseconds.
 */
export function leaseLength({ electionTimeoutMin, maxClockDrift }: LeaseOptions): Micros {
  return Math.floor((electionTimeoutMin * (million - maxClockDrift)) / (million + maxClockDrift));
}

const million = 1_000_000;

/** A round leaves with this output. */
export function noteRoundSent({ state, options }: Core, { lease, round }: Leadership): void {
  if (!options.leaseReads || lease.ended) return;
  // What left so long ago grants nothing any more, whenever it is answered.
  const oldest = state.now - options.electionTimeoutMin;
  if ((lease.sent[0]?.at ?? oldest) < oldest) lease.sent = lease.sent.filter(({ at }) => at >= oldest);
  lease.sent.push({ round, at: state.now });
}

/** A quorum, of both halves while joint, has answered this round. */
export function noteRoundConfirmed({ lease, confirmedRound }: Leadership): void {
  const next = lease.sent.findIndex(({ round }) => round > confirmedRound);
  const confirmed = lease.sent.splice(0, next === -1 ? lease.sent.length : next).at(-1);
  if (confirmed !== undefined) lease.since = Math.max(confirmed.at, lease.since ?? confirmed.at);
}

/** Whether no other leader can have been elected by now. */
export function holdsLease({ state, options }: Core, { lease }: Leadership): boolean {
  if (!options.leaseReads || lease.ended || lease.since === null) return false;
  return state.now - lease.since < leaseLength(options);
}

/** TimeoutNow leaves: there is no lease from here on, in this term. */
export function endLease({ lease }: Leadership): void {
  lease.ended = true;
  lease.since = null;
  lease.sent = [];
}

/** A server that has been in a term may have protected a leader when it stopped, and does not know: it protects whoever that was. */
export function protectUnknown(core: Core): void {
  const { state, options } = core;
  if (!options.leaseReads || state.term === 0) return;
  state.sticky = true;
  armTimer(core, 'stickiness', options.electionTimeoutMin, options.electionTimeoutMin);
}
