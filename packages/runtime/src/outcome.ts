/** What becomes of commands and reads, for callers without promises. */
import type { Index, MemberId, RefusalReason } from '@quorate/raft';
import { RaftError, type RaftErrorCode } from './errors.ts';

/** Why a command was refused. Every refusal is definite: the command has no effect and never will. */
export type ProposalRefusal =
  | RefusalReason
  /** It was appended, but another entry was committed in its place. */
  | 'dropped'
  /** The disk reserve would be touched. */
  | 'diskFull'
  | 'shuttingDown';

export type ProposalOutcome =
  /** Applied on this very server at `index`; `result` is what the state machine returned. */
  | { readonly kind: 'applied'; readonly index: Index; readonly result: unknown }
  | { readonly kind: 'refused'; readonly reason: ProposalRefusal; readonly message: string }
  /** It may or may not take effect. */
  | { readonly kind: 'unknown'; readonly message: string };

export type ReadRefusal = Exclude<RefusalReason, 'tooLarge' | 'leaderDiskFull'> | 'timeout' | 'shuttingDown';

export type ReadOutcome =
  /** Everything acknowledged before the call is applied here, up to `index` at least. */
  | { readonly kind: 'ready'; readonly index: Index }
  | { readonly kind: 'refused'; readonly reason: ReadRefusal; readonly message: string };

const messages: Readonly<Record<ProposalRefusal | ReadRefusal, string>> = {
  noLeader: 'No leader is known at present. Try again after an election, or ask another server.',
  leadershipLost: 'The leader is handing over or has just lost its office. Try again.',
  recovering:
    'The leader has found entries damaged on its disk and settles with the other servers what they were. Try again a little later.',
  busy: 'Too many requests wait already. Try again a little later.',
  tooLarge: 'The command is larger than maxCommandBytes allows. Make it smaller.',
  foreignIncarnation:
    'This server runs on another data directory than the one that the cluster counts on. Remove the member and add it anew.',
  dropped: 'Another entry was committed in the place of the command, so it never took effect. Send it again.',
  diskFull: 'The disk of this server is full up to its reserve. Free some space, then try again.',
  leaderDiskFull: 'The disk of the leader is full up to its reserve. Free some space on its machine, then try again.',
  shuttingDown: 'This server is shutting down. Ask another one.',
  timeout: 'The read was not confirmed in time. Try again.',
};

export function refusalMessage(reason: ProposalRefusal | ReadRefusal): string {
  return messages[reason];
}

const codes: Readonly<Record<ProposalRefusal | ReadRefusal, RaftErrorCode>> = {
  noLeader: 'NotLeader',
  leadershipLost: 'LeadershipLost',
  recovering: 'Busy',
  busy: 'Busy',
  tooLarge: 'TooLarge',
  foreignIncarnation: 'ForeignIncarnation',
  dropped: 'ProposalDropped',
  diskFull: 'DiskFull',
  leaderDiskFull: 'DiskFull',
  shuttingDown: 'ShuttingDown',
  timeout: 'Timeout',
};

/** Milliseconds after which it makes sense to try again. */
const retryAfter: Partial<Record<ProposalRefusal | ReadRefusal, number>> = {
  noLeader: 100,
  leadershipLost: 100,
  recovering: 100,
  busy: 50,
  dropped: 0,
  timeout: 0,
};

/** The error that a promise is rejected with. */
export function proposalError(
  outcome: Exclude<ProposalOutcome, { kind: 'applied' }>,
  leader: MemberId | null,
): RaftError {
  if (outcome.kind === 'unknown') return new RaftError('OutcomeUnknown', outcome.message, { definite: false });
  return refusalError(outcome, leader);
}

export function readError(outcome: Exclude<ReadOutcome, { kind: 'ready' }>, leader: MemberId | null): RaftError {
  return refusalError(outcome, leader);
}

function refusalError(
  { reason, message }: { readonly reason: ProposalRefusal | ReadRefusal; readonly message: string },
  leader: MemberId | null,
): RaftError {
  return new RaftError(codes[reason], message, { leader, retryAfter: retryAfter[reason] ?? null });
}
