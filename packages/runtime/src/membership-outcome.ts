/** What becomes of changes of membership and of leadership transfers, for callers without promises, and as errors. */
import type { ChangeRefusal, Index, TransferResult } from '@quorate/raft';
import { RaftError } from './errors.ts';

export type ChangeOutcome =
  /** Its first step is committed, at `index`: the change will be carried to its end, whoever leads. */
  | { readonly kind: 'begun'; readonly index: Index }
  /** Definite: the change has no effect. */
  | { readonly kind: 'refused'; readonly reason: ChangeRefusal }
  /** It may have begun: look at the members. */
  | { readonly kind: 'unknown' };

export type TransferOutcome = TransferResult['outcome'];

const changeMessages: Readonly<Record<ChangeRefusal, string>> = {
  noLeader: 'No leader is known at present. Try again after an election, or ask another server.',
  leadershipLost: 'The leader is handing over or has just lost its office. Try again.',
  recovering: 'The leader settles damaged entries with the other servers. Try again a little later.',
  busy: 'Too many requests wait already. Try again a little later.',
  leaderDiskFull: 'The disk of the leader is full up to its reserve. Free some space on its machine, then try again.',
  tooLarge: 'The change is too large. Make several of it.',
  foreignIncarnation: 'This server runs on another data directory than the one that the cluster counts on.',
  repeated: 'A member stands in the change twice. Name each once.',
  unknownMember: 'The change names a server that is no member. Look at the members.',
  alreadyMember: 'A server to be added is a member already. Look at the members.',
  alreadyVoter: 'A server to be promoted is a voter already, or is becoming one.',
  alreadyLearner: 'A server to be demoted is a learner already, or is becoming one.',
  alreadyBound: 'The data directory to be readmitted is the one that counts, or the member has none yet.',
  formerLife: 'That data directory has left the cluster. Start the server on an empty one.',
  malformed: 'An id or an address is too long, or there would be too many members.',
  noVoters: 'Nobody would vote after the change. Leave at least one voter.',
  nothingChanges: 'The change names nobody.',
  staleView: 'The membership has changed since it was looked at. Look again, then decide again.',
  changing: 'Another change is under way. Try again when it is over.',
  unproven: 'The leader has just been elected and has committed nothing yet. Try again.',
  quorumWouldBeLost:
    'Too few of the servers that would vote answer at present, so that nothing could be decided any more. Start them first, or remove those that are gone.',
  versionTooOld:
    'Not every server understands this yet. Upgrade, or remove, those that hold the version in use back: the status says what each speaks.',
};

/** Milliseconds after which it makes sense to try again. */
const retryAfter: Partial<Record<ChangeRefusal, number>> = {
  noLeader: 100,
  leadershipLost: 100,
  recovering: 100,
  busy: 50,
  changing: 100,
  unproven: 50,
};

export function changeRefusalMessage(reason: ChangeRefusal): string {
  return changeMessages[reason];
}

export function changeError(outcome: Exclude<ChangeOutcome, { kind: 'begun' }>, leader: string | null): RaftError {
  if (outcome.kind === 'unknown') {
    const message = 'It is not known whether the change has begun. Look at the members before you ask again.';
    return new RaftError('OutcomeUnknown', message, { definite: false, leader });
  }
  const { reason } = outcome;
  const details = { leader, retryAfter: retryAfter[reason] ?? null, reason };
  return new RaftError(reason === 'noLeader' ? 'NotLeader' : 'ChangeRefused', changeMessages[reason], details);
}

const transferMessages: Readonly<Record<Exclude<TransferOutcome, 'done'>, string>> = {
  noLeader: 'This server does not lead. Ask the one that does.',
  noTarget: 'No such voter answers at present. Name another, or start it.',
  versionTooOld:
    'Not every server understands this yet. Upgrade, or remove, those that hold the version in use back: the status says what each speaks.',
  busy: 'Another transfer is under way. Try again when it is over.',
  behind: 'The target did not catch up within an election timeout. This server leads on.',
  timedOut: 'The target was told to stand and has not been elected in time. Look who leads, then decide again.',
  leadershipLost: 'The leadership went elsewhere before the target was elected. Look who leads.',
};

export function transferError(outcome: Exclude<TransferOutcome, 'done'>, leader: string | null): RaftError {
  const code = outcome === 'noLeader' ? 'NotLeader' : 'TransferFailed';
  return new RaftError(code, transferMessages[outcome], { leader, reason: outcome });
}
