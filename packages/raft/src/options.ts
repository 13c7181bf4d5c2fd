/**
 * What an embedder may set. Every limit has a name, a unit and a default; see `defaultOptions`. Where payload bytes of several entries
 * are counted, each entry counts `entryOverheadBytes` more (weight.ts).
 */
import type { Incarnation, MemberId, Micros } from './types.ts';
import { type Release, thisRelease } from './versions.ts';

export interface RaftOptions {
  /** The consensus group; messages of another are refused. */
  readonly group: number;
  readonly id: MemberId;
  readonly incarnation: Incarnation;
  /**
   * The shortest time without a leader after which a server stands for election; also how long voters protect a leader.
   * The same on all servers. Microseconds.
   */
  readonly electionTimeoutMin: Micros;
  /** The longest; drawn anew for every election (§5.2). Microseconds. */
  readonly electionTimeoutMax: Micros;
  /**
   * How far failed elections may widen the range: up to this many times electionTimeoutMax, doubling each time. From 1, which
   * switches it off, to 1,000.
   */
  readonly maxElectionBackoff: number;
  /**
   * Once the leader's process is known to be gone (input `peerGone`): how long a server waits before it stands. The three attempts that
   * follow wait from the longest to twice that, doubled each time; then the usual timeouts return. Microseconds.
   */
  readonly goneSpreadMin: Micros;
  readonly goneSpreadMax: Micros;
  /**
   * A wish, not a rule: with priority p this server draws its election timeout from the lowest p-th part of the range, so that it
   * is likely to stand before those of lower priority. 0: it never stands unless a leader hands over to it. A whole number.
   */
  readonly priority: number;
  /** A leader's rhythm, well below electionTimeoutMin. Microseconds. */
  readonly heartbeatInterval: Micros;
  /**
   * How long a leader with no entries to send waits for some before it tells followers what is committed by itself. Those that
   * carried something here are told at once; 0: all are. Microseconds.
   */
  readonly commitNoticeDelay: Micros;
  /**
   * PreVote, CheckQuorum and voter stickiness, as one bundle: each without the others has known holes (dissertation
   * §4.2.3, §6.2, §9.6). Turn it off only to study what happens then.
   */
  readonly stableLeadership: boolean;
  /**
   * A leader whom a quorum is sure to protect answers reads at once, without a round (lease.ts). Needs `stableLeadership`, and the
   * same value of this and of `electionTimeoutMin` on all servers. It trusts clocks: that none runs faster or slower than true time
   * by more than `maxClockDrift`, and that none stands still while its machine is suspended. Where that fails, reads may be stale.
   */
  readonly leaseReads: boolean;
  /** How far a server's clock may run from true time while leases are used. Parts in a million, below one million. */
  readonly maxClockDrift: number;
  /** Payload bytes that one AppendEntries or load carries, unless a single entry is larger. */
  readonly maxAppendBytes: number;
  /** Unanswered AppendEntries to one follower, by count and by payload bytes. */
  readonly maxInflightMessages: number;
  readonly maxInflightBytes: number;
  /** Payload bytes that a leader may hold uncommitted; beyond it proposals are refused as `busy`. */
  readonly maxUncommittedBytes: number;
  /** Payload bytes of durable, applied entries that stay in memory for followers; older ones are loaded from storage. */
  readonly maxLogCacheBytes: number;
  /** A single command's largest size in bytes. */
  readonly maxCommandBytes: number;
  /** Faulty entries that one message asks for. */
  readonly maxFetchEntries: number;
  /** Reads that may wait for confirmation; beyond it reads are refused as `busy`. */
  readonly maxPendingReads: number;
  /** The versions of the protocol that this server speaks. Another than `thisRelease` is for tests of upgrades. */
  readonly release: Release;
  /** Apply only what is durable on this very server: for state machines that are durable in themselves. */
  readonly applyDurableOnly: boolean;
}

export type RaftDefaults = Omit<RaftOptions, 'id' | 'incarnation'>;

export const defaultOptions: RaftDefaults = {
  group: 0,
  electionTimeoutMin: 1_000_000,
  electionTimeoutMax: 2_000_000,
  maxElectionBackoff: 8,
  goneSpreadMin: 2_000,
  goneSpreadMax: 30_000,
  priority: 1,
  heartbeatInterval: 100_000,
  commitNoticeDelay: 2_000,
  stableLeadership: true,
  leaseReads: false,
  maxClockDrift: 10_000,
  maxAppendBytes: 1 << 20,
  maxInflightMessages: 256,
  maxInflightBytes: 16 << 20,
  maxUncommittedBytes: 64 << 20,
  maxLogCacheBytes: 16 << 20,
  maxCommandBytes: 4 << 20,
  maxFetchEntries: 256,
  maxPendingReads: 100_000,
  release: thisRelease,
  applyDurableOnly: false,
};
