/** What experiments with a load have in common: plans with the usual values, and results as rows. */
import { clientAddress } from '@quorate/processes';
import type { Row } from '../experiment.ts';
import type { Cluster } from '../harness/cluster.ts';
import type { Harness } from '../harness/harness.ts';
import { firstWriteServed } from '../harness/prober.ts';
import type { LoadPlan, LoadResult } from '../load/plan.ts';
import { keyOf } from '../load/raw/messages.ts';
import { latencyMs } from '../load/tally.ts';

/** Keys that loads write to and read from. */
export const KEYS = 1_000;
const READY_MS = 60_000;
/** Keys are written in groups of so many at a time. */
const PRELOAD_AT_ONCE = 100;
const MAX_WARM_UP_SECONDS = 1;
/** What a run takes besides: connecting, and the answers that are still under way at its end. */
const AROUND_A_LOAD_SECONDS = 0.3;

/** Waits until a cluster serves writes, whichever program it runs. */
export async function ready(harness: Harness, cluster: Cluster): Promise<void> {
  const client = await cluster.client();
  const served = await firstWriteServed([client], performance.now(), READY_MS, harness.signal);
  if (served === null) throw new Error(`The cluster served no write within ${READY_MS / 1000} s.`);
}

/** `host:port` of the server that leads, as its own status says, whichever program it runs. */
export async function leaderAddress(cluster: Cluster): Promise<string> {
  return cluster.until(
    'a server that says it leads',
    async () => {
      for (const server of cluster.servers) {
        const client = await cluster.client([server]);
        const { isLeader } = await client.status();
        await client.close();
        if (isLeader) return clientAddress(server.member);
      }
      return null;
    },
    READY_MS,
  );
}

/** Gives every key a value, so that reads find something. */
export async function preload(cluster: Cluster, valueBytes: number, keys: number = KEYS): Promise<void> {
  const client = await cluster.client();
  const value = new Uint8Array(valueBytes).fill(0x76);
  for (let from = 0; from < keys; from += PRELOAD_AT_ONCE) {
    const group = Array.from({ length: Math.min(PRELOAD_AT_ONCE, keys - from) }, (_, at) => keyOf(from + at));
    await Promise.all(group.map((key) => client.put(key, value)));
  }
}

/** About how long a run of `seconds` measured seconds takes. */
export function loadSeconds(seconds: number): number {
  return warmUpOf(seconds) + seconds + AROUND_A_LOAD_SECONDS;
}

function warmUpOf(seconds: number): number {
  return Math.min(MAX_WARM_UP_SECONDS, seconds / 2);
}

/** A plan with what most have; `pace` and `seconds` are what they differ in. */
export function planFor(
  harness: Harness,
  cluster: Cluster,
  plan: Pick<LoadPlan, 'pace' | 'seconds'> & Partial<LoadPlan>,
): LoadPlan {
  return {
    endpoints: cluster.servers.map(({ member }) => clientAddress(member)),
    spread: 'leader',
    generator: 'client',
    warmUpSeconds: warmUpOf(plan.seconds),
    readPercent: 0,
    serializable: false,
    valueBytes: 256,
    keys: KEYS,
    timeoutMs: 5_000,
    intervalMs: 1_000,
    discover: false,
    seed: harness.random.below(2 ** 31),
    ...plan,
  };
}

/** Rates, latencies and failures of one run. */
export function loadRow(result: LoadResult): Row {
  const { seconds, reads, writes, refused, unknown, overflow, lateMs, generatorMicros } = result;
  const { readLatencies, writeLatencies } = result;
  return {
    throughput: (reads + writes) / seconds,
    readsPerSecond: reads / seconds,
    writesPerSecond: writes / seconds,
    writeP50: latencyMs(writeLatencies, 0.5),
    writeP99: latencyMs(writeLatencies, 0.99),
    writeMax: latencyMs(writeLatencies, 1),
    readP50: latencyMs(readLatencies, 0.5),
    readP99: latencyMs(readLatencies, 0.99),
    readMax: latencyMs(readLatencies, 1),
    refused,
    unknown,
    overflow,
    lateMs,
    generatorMicros,
  };
}
