/** G4. Lease reads (dissertation §6.4.1): what spares a read its round, and what those that grant a lease must not do. */
import type { Input, MemberId, Message, Micros, Output, Term } from '@quorate/raft';
import type { Ghosts } from './ghosts.ts';
import { isQuorum } from './quorum.ts';
import type { ServerGhost } from './server-ghost.ts';

/** What is remembered of one run of a server for the sake of leases. */
export class LeaseGhost {
  /** It heard a leader, or began with a past, and its protection has not run out since. */
  protects = false;
  /** Who asked since the last output for a vote, or for a PreVote, that it was free to give. */
  readonly mayVoteFor = new Set<MemberId>();
  readonly mayPreVoteFor = new Set<MemberId>();
  /** The newest term in which it sent TimeoutNow. */
  resigned: Term = 0;
  /** While it leads: when each round of heartbeats left. */
  readonly sent = new Map<number, Micros>();
  /** When its lease began, as it was last seen. */
  since: Micros | null = null;

  begin(term: Term): void {
    this.protects = term > 0;
    this.mayVoteFor.clear();
    this.mayPreVoteFor.clear();
    this.resigned = 0;
    this.sent.clear();
    this.since = null;
  }
}

export function leaseStepped(ghosts: Ghosts, server: ServerGhost, input: Input): void {
  const { options, lease, raft } = server;
  if (!options.leaseReads) return;
  if (raft.role !== 'leader') lease.sent.clear();
  else lease.protects = false;
  checkBeginning(ghosts, server);
  if (input.kind === 'timeout' && input.name === 'stickiness') {
    if (input.generation === raft.state.timers.stickiness) lease.protects = false;
  }
  if (input.kind !== 'message') return;
  const { message } = input;
  if (isFromLeader(message) && message.term === raft.term && raft.leader === message.from) lease.protects = true;
  // Whom the leader itself has called is free from protection.
  if (message.kind === 'requestVote' && (message.transfer || !lease.protects)) lease.mayVoteFor.add(message.from);
  if (message.kind === 'preVote' && !lease.protects) lease.mayPreVoteFor.add(message.from);
}

/** A quorum has answered a round that left no earlier than when the lease begins. */
function checkBeginning(ghosts: Ghosts, server: ServerGhost): void {
  const { lease, raft, rounds, id } = server;
  const since = raft.state.leadership?.lease.since ?? null;
  if (since === lease.since) return;
  lease.since = since;
  if (since === null) return;
  const hasAnswered = (member: MemberId): boolean =>
    member === id || (lease.sent.get(rounds.get(member) ?? 0) ?? Number.NEGATIVE_INFINITY) >= since;
  const inForce = raft.state.configurations.filter(({ index }) => index >= server.configurationAtOutput);
  if (inForce.some((configuration) => isQuorum(configuration, hasAnswered))) return;
  const first = `no quorum has answered ${id} a round of heartbeats that it sent at ${since} or later`;
  ghosts.broken('G4', first, `its lease in term ${raft.term} counts from there`);
}

function isFromLeader({ kind }: Message): boolean {
  return kind === 'heartbeat' || kind === 'appendEntries' || kind === 'installSnapshot';
}

/** Called when the reads of the same output are judged: what leaves with it comes after them. */
export function leaseOutput(ghosts: Ghosts, server: ServerGhost, output: Output): void {
  const { options, lease, raft } = server;
  if (!options.leaseReads) return;
  for (const { message } of output.send) {
    if (message.kind === 'timeoutNow') lease.resigned = message.term;
    if (message.kind === 'heartbeat' && message.round > 0) {
      if (!lease.sent.has(message.round)) lease.sent.set(message.round, raft.state.now);
    }
    const isGranted = (message.kind === 'requestVoteReply' || message.kind === 'preVoteReply') && message.granted;
    if (!isGranted) continue;
    const free = message.kind === 'preVoteReply' ? lease.mayPreVoteFor : lease.mayVoteFor;
    if (free.has(message.to)) continue;
    const first = `${server.id} heard a leader, or restarted, less than electionTimeoutMin ago`;
    ghosts.broken('G4', first, `${message.kind} to ${message.to} grants what could elect another`);
  }
  lease.mayVoteFor.clear();
  lease.mayPreVoteFor.clear();
}

/** Whether a read that comes at `at` may go without a round of its own. Asked before what came with it is looked at. */
export function isWithinLease({ options, lease, raft }: ServerGhost, at: Micros): boolean {
  if (!options.leaseReads || lease.since === null || lease.resigned === raft.term) return false;
  const drift = options.maxClockDrift / 1_000_000;
  return at - lease.since < (options.electionTimeoutMin * (1 - drift)) / (1 + drift);
}
