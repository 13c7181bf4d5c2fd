/** New clusters that elect their first leader. */
import type { Client } from '@quorate/client';
import type { Cluster } from '../harness/cluster.ts';
import type { Harness } from '../harness/harness.ts';
import { firstWriteServed } from '../harness/prober.ts';
import { type TimeoutRange, timeoutFlags } from './election-timeouts.ts';

export interface StartSettings {
  readonly servers: number;
  readonly range: TimeoutRange;
  /** New clusters, one after the other. */
  readonly starts: number;
  /** Without a leader for so long, the outcome is "none". */
  readonly limitMs: number;
}

export interface FirstElection {
  /** One for each server. */
  readonly clients: readonly Client[];
  readonly isServed: boolean;
}

/** Founds clusters and records the first election of each. */
export async function startAnew(harness: Harness, { servers, range, starts, limitMs }: StartSettings): Promise<void> {
  for (let done = 0; done < starts; done++) {
    const cluster = await harness.prepare({ servers, flags: timeoutFlags(range) });
    await firstElection(harness, cluster, limitMs);
    await cluster.close();
  }
}

/** Starts the servers of a new cluster. Measured is the time from the moment when a majority is up to the first write served. */
export async function firstElection(harness: Harness, cluster: Cluster, limitMs: number): Promise<FirstElection> {
  const majority = Math.floor(cluster.servers.length / 2) + 1;
  cluster.startAll();
  await cluster.until(
    'a majority to be up',
    async () => ((await cluster.pages()).filter(({ page }) => page !== null).length >= majority ? true : null),
    60_000,
  );
  const since = performance.now();
  const clients = await Promise.all(cluster.servers.map((server) => cluster.client([server])));
  const served = await firstWriteServed(clients, since, limitMs, harness.signal);
  harness.record({ kind: 'initial', ms: served?.ms ?? null, limitMs });
  return { clients, isServed: served !== null };
}
