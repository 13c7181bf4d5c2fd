/** What can go wrong, for programs (`code`) and for people (`message`: what happened, and what to do next). */
import type { MemberId } from '@quorate/raft';

export type RaftErrorCode =
  /** No leader is known, or this server may not ask it. Nothing was appended. */
  | 'NotLeader'
  /** The leader lost its office before it took the command. Nothing was appended. */
  | 'LeadershipLost'
  /** Another entry stands where the command was appended: it never took effect and never will. */
  | 'ProposalDropped'
  /** It cannot be known whether the command takes effect. */
  | 'OutcomeUnknown'
  /** Too much waits already. Nothing was appended; see `retryAfter`. */
  | 'Busy'
  /** The command exceeds `maxCommandBytes`. Nothing was appended. */
  | 'TooLarge'
  /** The disk reserve would be touched. Nothing was appended. */
  | 'DiskFull'
  /** This data directory is not the one that the cluster counts on for this member. */
  | 'ForeignIncarnation'
  /** A change of membership cannot be made, or not now: see `reason`. Nothing was appended. */
  | 'ChangeRefused'
  /** Leadership did not go where it was to go: see `reason`. */
  | 'TransferFailed'
  /** The node is closing or closed. */
  | 'ShuttingDown'
  /** The caller's signal was aborted. For a command see `definite`. */
  | 'Aborted'
  /** No answer within the time given. */
  | 'Timeout'
  /** The cluster has let the session go to make room for others. See `definite`. */
  | 'SessionExpired'
  /** The session was closed on this side. Nothing was sent. */
  | 'SessionClosed'
  /** An option has a value that cannot work. */
  | 'InvalidOptions'
  /** The peer address cannot be listened on. */
  | 'ListenFailed'
  /** A fresh directory for a member that has already run in this cluster. */
  | 'MemberAlreadyRan'
  /** The data directory belongs to another cluster or another member. */
  | 'WrongCluster'
  /** The cluster uses a version of the protocol that this server does not speak. */
  | 'VersionNotSpoken'
  /** The disk failed, or what it holds is damaged. `cause` is the StorageError. */
  | 'StorageFailed'
  /** The state machine threw, refused a snapshot, or holds more than the log can vouch for. */
  | 'StateMachineFailed'
  /** An invariant of the algorithm was broken. The node stopped rather than corrupt its log. */
  | 'InternalError';

/** Every error that RaftNode rejects with or stops because of. */
export class RaftError extends Error {
  override readonly name = 'RaftError';
  readonly code: RaftErrorCode;
  /** The leader, where it is known and asking it would help. */
  readonly leader: MemberId | null;
  /** Milliseconds after which it makes sense to try again; null where trying again is not the remedy. */
  readonly retryAfter: number | null;
  /** Of `ChangeRefused` and `TransferFailed`: why, in one word; otherwise null. */
  readonly reason: string | null;
  /** True if the command certainly has no effect and never will; then it may be proposed again. */
  readonly definite: boolean;

  constructor(
    code: RaftErrorCode,
    message: string,
    details: {
      readonly leader?: MemberId | null;
      readonly retryAfter?: number | null;
      readonly reason?: string;
      readonly definite?: boolean;
      readonly cause?: unknown;
    } = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.leader = details.leader ?? null;
    this.retryAfter = details.retryAfter ?? null;
    this.reason = details.reason ?? null;
    this.definite = details.definite ?? true;
  }
}

/** The text of anything thrown. */
export function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
