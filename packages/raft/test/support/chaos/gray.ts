/** Servers that are ill and not dead. */
import type { TestServer } from '../server.ts';
import type { Cluster } from '../cluster.ts';

/** The leader's write stands still while everyone answers it: until it gives up its leadership, or its checks find nothing. */
export function stallDisk(cluster: Cluster, server: TestServer): boolean {
  if (server.gathering || server.disk.pending.length === 0 || !server.timers.has('quorumCheck')) return false;
  for (let check = 0; check < 3 && server.timers.has('quorumCheck'); check++) {
    server.fire('heartbeat');
    for (const direction of [{ from: server.id }, { to: server.id }]) {
      for (const flight of cluster.find(direction)) if (cluster.flights.includes(flight)) cluster.deliverFlight(flight);
    }
    if (server.timers.has('quorumCheck')) server.fire('quorumCheck');
  }
  return true;
}

/** Every process stands still; so much is due when they wake. */
export function sleep(cluster: Cluster): boolean {
  cluster.now += 3_000_000;
  return true;
}
