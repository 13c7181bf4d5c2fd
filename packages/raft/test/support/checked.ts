/** A cluster that is judged after every step. */
import { Cluster, type ClusterOptions } from './cluster.ts';
import { type Ghosts, invariants } from './invariants/index.ts';
import type { Observer } from './observer.ts';

export interface CheckedCluster {
  readonly cluster: Cluster;
  readonly ghosts: Ghosts;
}

export function checkedCluster(given: ClusterOptions): CheckedCluster {
  const found = invariants(given.configuration, () => cluster.servers.values());
  const observers: Observer[] = [...(given.observers ?? []), ...found.observers];
  const cluster: Cluster = new Cluster({ ...given, observers });
  return { cluster, ghosts: found.ghosts };
}
