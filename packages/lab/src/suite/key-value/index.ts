/** The course's key-value part: a service of ours on the Raft under test, without snapshots and with them. */
import type { Cluster } from '../../cluster/cluster.ts';
import { kvService } from '../../kv/kv-server.ts';
import type { LabTest } from '../lab-test.ts';
import { generic } from './generic.ts';
import { onePartition, SNAPSHOT_AT, sameKey, snapshotRpc, snapshotSize, speed } from './scenarios.ts';

interface Shape {
  readonly clients: number;
  readonly servers: number;
  readonly isUnreliable?: boolean;
  readonly hasCrash?: boolean;
  readonly hasPartitions?: boolean;
  readonly hasRandomKeys?: boolean;
  readonly maxRaftState?: number;
}

function workload(name: string, shape: Shape): LabTest {
  const { clients, servers, isUnreliable = false, maxRaftState = -1 } = shape;
  const { hasCrash = false, hasPartitions = false, hasRandomKeys = false } = shape;
  const words = [
    isUnreliable ? 'unreliable net' : '',
    hasCrash ? 'restarts' : '',
    hasPartitions ? 'partitions' : '',
    maxRaftState < 0 ? '' : 'snapshots',
    hasRandomKeys ? 'random keys' : '',
    clients > 1 ? 'many clients' : 'one client',
  ];
  const title = words.filter((word) => word !== '').join(', ');
  const work = { clients, hasCrash, hasPartitions, hasRandomKeys, maxRaftState };
  return own(name, title, servers, (cluster) => generic(cluster, work), { isUnreliable, maxRaftState });
}

function own(
  name: string,
  title: string,
  servers: number,
  run: (cluster: Cluster) => Promise<void>,
  { isUnreliable = false, maxRaftState = -1 }: Pick<Shape, 'isUnreliable' | 'maxRaftState'> = {},
): LabTest {
  const hasSnapshots = maxRaftState >= 0;
  const makeService = kvService(maxRaftState);
  return { part: 'kv', name, title, servers, isUnreliable, hasSnapshots, makeService, maxRaftState, run };
}

const five = { clients: 5, servers: 5 };
const all = { clients: 15, servers: 7, isUnreliable: true, hasCrash: true, hasPartitions: true, hasRandomKeys: true };
const compacting = { maxRaftState: SNAPSHOT_AT };

export const keyValue: readonly LabTest[] = [
  workload('Basic', { clients: 1, servers: 5 }),
  own('Speed', 'ops complete fast enough', 3, (cluster) => speed(cluster, -1)),
  workload('Concurrent', five),
  workload('Unreliable', { ...five, isUnreliable: true }),
  own('UnreliableOneKey', 'concurrent append to same key, unreliable', 3, sameKey, { isUnreliable: true }),
  own('OnePartition', 'progress in majority, none in minority, completion after heal', 5, onePartition),
  workload('ManyPartitionsOneClient', { clients: 1, servers: 5, hasPartitions: true }),
  workload('ManyPartitionsManyClients', { ...five, hasPartitions: true }),
  workload('PersistOneClient', { clients: 1, servers: 5, hasCrash: true }),
  workload('PersistConcurrent', { ...five, hasCrash: true }),
  workload('PersistConcurrentUnreliable', { ...five, isUnreliable: true, hasCrash: true }),
  workload('PersistPartition', { ...five, hasCrash: true, hasPartitions: true }),
  workload('PersistPartitionUnreliable', { ...five, isUnreliable: true, hasCrash: true, hasPartitions: true }),
  workload('PersistPartitionUnreliableLinearizable', all),
  own('SnapshotRPC', 'InstallSnapshot RPC', 3, snapshotRpc, compacting),
  own('SnapshotSize', 'snapshot size is reasonable', 3, snapshotSize, compacting),
  own('SnapshotSpeed', 'ops complete fast enough, snapshots', 3, (cluster) => speed(cluster, SNAPSHOT_AT), compacting),
  workload('SnapshotRecover', { clients: 1, servers: 5, hasCrash: true, ...compacting }),
  workload('SnapshotRecoverManyClients', { clients: 20, servers: 5, hasCrash: true, ...compacting }),
  workload('SnapshotUnreliable', { ...five, isUnreliable: true, ...compacting }),
  workload('SnapshotUnreliableRecover', { ...five, isUnreliable: true, hasCrash: true, ...compacting }),
  workload('SnapshotUnreliableRecoverConcurrentPartition', {
    ...five,
    isUnreliable: true,
    hasCrash: true,
    hasPartitions: true,
    ...compacting,
  }),
  workload('SnapshotUnreliableRecoverConcurrentPartitionLinearizable', { ...all, ...compacting }),
];
