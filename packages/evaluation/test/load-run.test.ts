import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KEYS, leaderAddress, planFor, preload, ready } from '../src/experiments/load-cells.ts';
import type { Cluster } from '../src/harness/cluster.ts';
import type { Harness } from '../src/harness/harness.ts';
import type { LoadPlan } from '../src/load/plan.ts';
import { harnessHere } from './support/here.ts';

describe('A load on a real server', () => {
  let directory = '';
  let harness: Harness;
  let cluster: Cluster;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'quorate-load-'));
    harness = harnessHere(directory, 'load');
    cluster = await harness.start({ servers: 1 });
    await ready(harness, cluster);
    await preload(cluster, 64);
  }, 60_000);
  afterAll(async () => {
    await harness.close();
    rmSync(directory, { recursive: true });
  });

  const revision = async (): Promise<number> => (await (await cluster.client()).status()).revision;

  /** Half a second without a warm-up, so that whatever is answered is counted. */
  async function plan(part: Partial<LoadPlan> & Pick<LoadPlan, 'generator' | 'pace'>): Promise<LoadPlan> {
    const endpoints = [await leaderAddress(cluster)];
    return planFor(harness, cluster, { seconds: 0.5, warmUpSeconds: 0, endpoints, ...part });
  }

  it.each(['client', 'raw'] as const)(
    'by the %s generator counts each write that the store has, and no other',
    async (generator) => {
      const before = await revision();
      const result = await harness.load(await plan({ generator, pace: { kind: 'closed', clients: 8 } }));
      expect(result).toMatchObject({ refused: 0, unknown: 0, reads: 0 });
      expect(result.writes).toBeGreaterThan(0);
      expect((await revision()) - before).toBe(result.writes);
    },
    30_000,
  );

  it.each(['client', 'raw'] as const)(
    'by the %s generator mixes reads and writes at the rate that it is told',
    async (generator) => {
      const before = await revision();
      const pace = { kind: 'open', perSecond: 200 } as const;
      const result = await harness.load(await plan({ generator, pace, readPercent: 50 }));
      // Half a second of an open loop, in ticks that are all there however late they come.
      expect(result.reads + result.writes).toBe(100);
      expect(result.reads).toBeGreaterThan(20);
      expect((await revision()) - before).toBe(result.writes);
    },
    30_000,
  );

  it('by the raw generator fails when nobody listens there', async () => {
    const nowhere = await plan({ generator: 'raw', pace: { kind: 'closed', clients: 1 }, endpoints: ['127.0.0.1:1'] });
    await expect(harness.load(nowhere)).rejects.toThrow(/ECONNREFUSED|closed the connection/);
  }, 30_000);

  it('reads keys that are there', async () => {
    const client = await cluster.client();
    const { count } = await client.get('key/', { prefix: true, countOnly: true });
    expect(count).toBe(KEYS);
  });
});
