/** What /debug/raft shows: one server's Raft as plain data, times in milliseconds. */
import type { KvStateMachine } from '@quorate/kv';
import type { RaftNode } from '@quorate/runtime';
import type { ServerOptions } from '../config/options.ts';
import { quorateVersion } from '../version.ts';
import { electionWindow } from './election-window.ts';
import { readContext } from './member-context.ts';

export interface RaftPageSources {
  readonly options: ServerOptions;
  readonly node: RaftNode;
  readonly machine: KvStateMachine;
  /** Monotonic, microseconds. */
  readonly now: () => number;
  /** `now` when the server started. */
  readonly started: number;
}

export function raftPage({ options, node, machine, now, started }: RaftPageSources): unknown {
  const status = node.status();
  const time = now();
  const electionWait = electionWindow(options.electionTimeout);
  const names = new Map(status.configuration.members.map(({ id, context }) => [id, readContext(context).name]));
  return {
    name: options.name,
    id: status.id,
    clusterId: status.clusterId,
    incarnation: status.incarnation,
    foreignIncarnation: status.foreignIncarnation,
    faultyEntries: status.faultyEntries,
    recovering: status.recovering,
    versionInUse: status.versionInUse,
    versions: status.versions,
    pid: process.pid,
    version: quorateVersion,
    uptimeMs: milliseconds(time - started),
    role: status.role,
    term: status.term,
    vote: status.vote,
    leader: status.leader,
    leaderName: status.leader === null ? null : (names.get(status.leader) ?? null),
    commitIndex: status.commitIndex,
    appliedIndex: status.appliedIndex,
    lastIndex: status.lastIndex,
    durableIndex: status.durableIndex,
    baseIndex: status.baseIndex,
    snapshot: { index: status.snapshot.index, term: status.snapshot.term },
    followers: status.followers.map(({ lastContact, ...follower }) => ({
      ...follower,
      name: names.get(follower.id) ?? null,
      lastContactMs: lastContact === null ? null : milliseconds(time - lastContact),
    })),
    peers: status.peers.map((peer) => ({ ...peer, name: names.get(peer.id) ?? null })),
    pendingProposals: status.pendingProposals,
    pendingReads: status.pendingReads,
    timeouts: {
      heartbeatMs: options.heartbeatInterval,
      electionMinMs: electionWait.min,
      electionMaxMs: electionWait.max,
    },
    configuration: {
      ...status.configuration,
      members: status.configuration.members.map(({ id, incarnation, context }) => ({
        id,
        incarnation,
        ...readContext(context),
      })),
    },
    storage: { dataDir: options.dataDir, logBytes: status.logBytes },
    store: {
      revision: machine.store.revision,
      compactRevision: machine.store.compactRevision,
      ...machine.store.statistics(),
    },
  };
}

function milliseconds(micros: number): number {
  return Math.round(micros / 1000);
}
