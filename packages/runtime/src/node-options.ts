/** What an embedder may set. Every limit has a name, a unit and a default. */
import { defaultOptions, maxVersion, type Member, type MemberId, type RaftDefaults } from '@quorate/raft';
import type { CoreWatcher } from './core-watcher.ts';
import type { Environment } from './environment.ts';
import { RaftError } from './errors.ts';
import type { Observer } from './observer.ts';
import type { StateMachine } from './state-machine.ts';
import type { StorageOptions } from './storage-options.ts';
import { defaultTransportLimits, type TransportLimits } from './transport/protocol.ts';

/** One of the servers that found a cluster. */
export interface FoundingMember {
  /** 1 to 64 characters, the same for ever. */
  readonly id: MemberId;
  /** Where its peers reach it, as the environment's network understands it: `host:port` over TCP. */
  readonly address: string;
  /** Kept with the member in the configuration, at most 4 KiB; the address where it is not given. */
  readonly context?: string;
}

export interface NodeLimits {
  /** Commands of local callers that may wait for an outcome, by count and by bytes. Beyond it: `Busy`. */
  readonly maxPendingProposals: number;
  readonly maxPendingBytes: number;
  /** Changes of membership and transfers of local callers that may wait for an outcome. Beyond it: refused as `busy`. */
  readonly maxPendingChanges: number;
  /** After this long without an outcome a command's outcome is reported as unknown, a read as refused. Microseconds. */
  readonly requestTimeout: number;
  /**
   * When the leader is lost, how long commands that were appended may still wait to be applied under the next one, before their
   * outcome is reported as unknown. Microseconds.
   */
  readonly leaderLossGrace: number;
  /** Commands of one turn that travel together. Bytes. */
  readonly maxProposalBatchBytes: number;
  /** How long the state machine may work before others have their turn. Microseconds. */
  readonly applySlice: number;
  /** Committed entries fetched at a time for the state machine. Bytes. */
  readonly maxApplyBytes: number;
  /** A snapshot is taken when the log behind the last one exceeds both this many bytes … */
  readonly snapshotMinLogBytes: number;
  /** … and this many times that snapshot's size, so that its cost per write stays constant. */
  readonly snapshotLogRatio: number;
  /** Entries kept behind a snapshot, so that a follower that is a little behind needs none. */
  readonly snapshotTrailingEntries: number;
  /** After a snapshot failed, when to try again. Microseconds. */
  readonly snapshotRetryAfter: number;
  /** How long `close` lets work in flight finish. Microseconds. */
  readonly closeTimeout: number;
}

export const defaultNodeLimits: NodeLimits = {
  maxPendingProposals: 65_536,
  maxPendingBytes: 128 << 20,
  maxPendingChanges: 1000,
  requestTimeout: 10_000_000,
  leaderLossGrace: 500_000,
  maxProposalBatchBytes: 1 << 20,
  applySlice: 5_000,
  maxApplyBytes: 1 << 20,
  snapshotMinLogBytes: 64 << 20,
  snapshotLogRatio: 1,
  snapshotTrailingEntries: 10_000,
  snapshotRetryAfter: 30_000_000,
  closeTimeout: 1_000_000,
};

export interface RaftNodeOptions<Result = unknown> {
  /** The world: `nodeEnvironment({ dataDirectory })` of `@quorate/runtime/node` for the real one. */
  readonly environment: Environment;
  readonly id: MemberId;
  /** Where this server listens for its peers. */
  readonly listen: string;
  /** The founding members, this server among them; the same list on all. Used when the data directory is created. */
  readonly initialCluster: readonly FoundingMember[];
  /**
   * `new`: found a cluster; a fresh data directory asks its peers first. `existing`: a fresh directory waits, passive, to
   * be let in. Of no effect once the directory exists.
   */
  readonly initialClusterState?: 'new' | 'existing';
  /** Tells clusters with equal members apart. */
  readonly clusterName?: string;
  /** 16 hex digits; derived from `clusterName` and `initialCluster` where it is not given. */
  readonly clusterId?: string;
  /** Where a member of the configuration is reached; its `context` where this is not given. Null: not reachable. */
  readonly peerAddress?: (member: Member) => string | null;
  readonly stateMachine: StateMachine<Result>;
  readonly raft?: Partial<Omit<RaftDefaults, 'applyDurableOnly'>>;
  readonly transport?: Partial<TransportLimits>;
  readonly storage?: Partial<StorageOptions>;
  readonly limits?: Partial<NodeLimits>;
  readonly observer?: Observer;
  /** Sees all that enters and leaves the core. */
  readonly watcher?: CoreWatcher;
}

/** What a message adds to the command that it carries alone, amply. */
const maxEnvelopeBytes = 1024;

/** The options with every default filled in. */
export interface Settings {
  readonly raft: RaftDefaults;
  readonly transport: TransportLimits;
  readonly limits: NodeLimits;
}

/** Fills in defaults and refuses what cannot work, with a RaftError that says what to change. */
export function settle(options: RaftNodeOptions): Settings {
  const raft = { ...defaultOptions, ...options.raft, applyDurableOnly: options.stateMachine.kind === 'durable' };
  const limits = { ...defaultNodeLimits, ...options.limits };
  const transport = { ...defaultTransportLimits, ...options.transport };
  checkId('id', options.id);
  checkMembers(options);
  checkTimes(raft);
  checkNumbers('raft', { ...raft, stableLeadership: 0, leaseReads: 0, applyDurableOnly: 0, release: 0 });
  checkRelease(raft);
  checkLeases(raft);
  checkNumbers('limits', limits);
  checkNumbers('transport', transport);
  if (options.clusterId !== undefined && !/^[0-9a-f]{16}$/.test(options.clusterId)) {
    throw invalid(`clusterId is '${options.clusterId}'. Give 16 lower-case hexadecimal digits.`);
  }
  const needed = largestMessage(raft, limits);
  if (transport.maxFrameBytes < needed) {
    throw invalid(
      `transport.maxFrameBytes is ${transport.maxFrameBytes}. A message may take ${needed} bytes: raise it, or lower ` +
        'raft.maxAppendBytes, raft.maxCommandBytes or limits.maxProposalBatchBytes.',
    );
  }
  return { raft, limits, transport };
}

/** An entry of one byte takes twelve on the wire at most; a large one hardly more than itself. */
function largestMessage(raft: RaftDefaults, limits: NodeLimits): number {
  const ofMany = Math.max(raft.maxAppendBytes, limits.maxProposalBatchBytes) * 12;
  return Math.max(ofMany, raft.maxCommandBytes + maxEnvelopeBytes);
}

function checkMembers(options: RaftNodeOptions): void {
  const state = options.initialClusterState ?? 'new';
  if (state !== 'new' && state !== 'existing') {
    throw invalid(`initialClusterState is '${String(state)}'. Give 'new' or 'existing'.`);
  }
  const seen = new Set<MemberId>();
  for (const member of options.initialCluster) {
    checkId('initialCluster', member.id);
    if (seen.has(member.id)) throw invalid(`initialCluster names member '${member.id}' twice. Name each once.`);
    seen.add(member.id);
  }
  if (state === 'new' && !seen.has(options.id)) {
    throw invalid(`initialCluster does not name this member, '${options.id}'. Add it, on every server alike.`);
  }
}

/** '-' stands for "voted, but for nobody" in the hard state and can therefore not be a member. */
export const noCandidate: MemberId = '-';

function checkId(where: string, id: MemberId): void {
  if (id.length < 1 || id.length > 64 || id === noCandidate) {
    throw invalid(`${where} names member '${id}'. Give 1 to 64 characters, and not just '-'.`);
  }
}

function checkTimes(raft: RaftDefaults): void {
  if (raft.electionTimeoutMax < raft.electionTimeoutMin) {
    throw invalid(
      `raft.electionTimeoutMax (${raft.electionTimeoutMax} µs) is below electionTimeoutMin ` +
        `(${raft.electionTimeoutMin} µs). Give a range, best twice as long at its end as at its beginning.`,
    );
  }
  if (raft.heartbeatInterval * 2 > raft.electionTimeoutMin) {
    throw invalid(
      `raft.heartbeatInterval (${raft.heartbeatInterval} µs) is more than half of electionTimeoutMin ` +
        `(${raft.electionTimeoutMin} µs). Leave room for a few lost heartbeats: a tenth is usual.`,
    );
  }
}

function checkLeases({ leaseReads, stableLeadership, maxClockDrift }: RaftDefaults): void {
  if (leaseReads && !stableLeadership) {
    throw invalid(
      'raft.leaseReads needs raft.stableLeadership: who protects no leader grants no lease. Turn it on, on every server.',
    );
  }
  if (maxClockDrift >= 1_000_000) {
    throw invalid(
      `raft.maxClockDrift is ${maxClockDrift}. Give parts in a million, below 1000000; 10000 is one in a hundred.`,
    );
  }
}

function checkRelease({ release: { min, max } }: RaftDefaults): void {
  if (min >= 1 && min <= max && max <= maxVersion) return;
  throw invalid(
    `raft.release speaks versions ${min} to ${max}. Give a range between 1 and ${maxVersion}, or leave it out.`,
  );
}

function checkNumbers(group: string, values: object): void {
  for (const [name, value] of Object.entries(values)) {
    if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) {
      throw invalid(`${group}.${name} is ${String(value)}. Give a number from 0 on.`);
    }
  }
}

function invalid(message: string): RaftError {
  return new RaftError('InvalidOptions', message);
}
