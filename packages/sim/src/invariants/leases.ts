/** G4. Lease reads (dissertation §6.4.1): what spares a read its round, and what those that grant a lease must not do. */
import type { Input, Message, Micros, Output, Term } from '@quorate/raft';
import { Violation } from '../watch.ts';
import type { ServerGhost } from './server-ghost.ts';

/** What is remembered of one run of a server for the sake of leases. */
export class LeaseGhost {
  /** It heard a leader, or began with a past, and its protection has not run out since. */
  protects = false;
  /** Terms in which it was asked for its vote by a candidate that the leader itself had called. */
  readonly handovers = new Set<Term>();
  /** The newest term in which it sent TimeoutNow. */
  resigned: Term = 0;
  /** While it leads: when each round of heartbeats left. */
  readonly sent = new Map<number, Micros>();

  begin(term: Term): void {
    this.protects = term > 0;
    this.handovers.clear();
    this.resigned = 0;
    this.sent.clear();
  }
}

export function leaseStepped(server: ServerGhost, input: Input): void {
  const { options, lease, raft } = server;
  if (!options.leaseReads) return;
  if (raft.role !== 'leader') lease.sent.clear();
  else lease.protects = false;
  if (input.kind === 'timeout' && input.name === 'stickiness') {
    if (input.generation === raft.state.timers.stickiness) lease.protects = false;
  }
  if (input.kind !== 'message') return;
  const { message } = input;
  if (isFromLeader(message) && message.term === raft.term && raft.leader === message.from) lease.protects = true;
  if (message.kind === 'requestVote' && message.transfer) lease.handovers.add(message.term);
}

function isFromLeader({ kind }: Message): boolean {
  return kind === 'heartbeat' || kind === 'appendEntries' || kind === 'installSnapshot';
}

/** Called when the reads of the same output are judged: what leaves with it comes after them. */
export function leaseOutput(server: ServerGhost, output: Output): void {
  const { options, lease, raft } = server;
  if (!options.leaseReads) return;
  for (const { message } of output.send) {
    if (message.kind === 'timeoutNow') lease.resigned = message.term;
    if (message.kind === 'heartbeat' && message.round > 0) {
      if (!lease.sent.has(message.round)) lease.sent.set(message.round, raft.state.now);
    }
    const isGranted = (message.kind === 'requestVoteReply' || message.kind === 'preVoteReply') && message.granted;
    if (!isGranted || !lease.protects || lease.handovers.has(message.term)) continue;
    const first = `${server.id} heard a leader, or restarted, less than electionTimeoutMin ago`;
    throw new Violation('G4', first, `${message.kind} to ${message.to} grants what could elect another`);
  }
}

/** Whether the answer to this round still spares reads theirs. */
export function isWithinLease(server: ServerGhost, round: number): boolean {
  const { options, lease, raft } = server;
  const sent = lease.sent.get(round);
  if (!options.leaseReads || sent === undefined || lease.resigned === raft.term) return false;
  const drift = options.maxClockDrift / 1_000_000;
  return raft.state.now - sent < (options.electionTimeoutMin * (1 - drift)) / (1 + drift);
}
