import { randomStream } from '@quorate/sim';
import { describe, expect, it } from 'vitest';
import type { Cell, Row } from '../src/experiment.ts';
import { wideArea } from '../src/experiments/wide-area.ts';
import { Harness } from '../src/harness/harness.ts';
import { oneWayMicros, REGIONS } from '../src/reference/regions.ts';
import { VirtualCluster } from '../src/simulated/virtual-cluster.ts';
import { summarize } from '../src/data/statistics.ts';

async function rowsOf(key: string, seed = 1): Promise<readonly Row[]> {
  const cell = wideArea.cells('quick').find((each: Cell) => each.key === key);
  if (cell === undefined) throw new Error(`There is no cell ${key}.`);
  const rows: Row[] = [];
  const harness = new Harness({
    places: [],
    seed,
    key,
    signal: new AbortController().signal,
    record: (row) => rows.push(row),
    note: () => undefined,
  });
  await cell.run(harness);
  return rows;
}

const msOf = (rows: readonly Row[], where: Row): number[] =>
  rows
    .filter((row) => Object.entries(where).every(([key, value]) => row[key] === value))
    .map((row) => Number(row['ms']));

describe('The simulated wide area', () => {
  it('makes the same run of the same seed, and another of another', async () => {
    const [first, again, other] = await Promise.all([
      rowsOf('regions-500-1000ms'),
      rowsOf('regions-500-1000ms'),
      rowsOf('regions-500-1000ms', 2),
    ]);
    expect(again).toEqual(first);
    expect(other).not.toEqual(first);
  });

  it('replaces a silent leader after an election timeout and the ways there and back', async () => {
    const ms = msOf(await rowsOf('regions-1700-2000ms'), { kind: 'replacement' });
    const summary = summarize(ms);
    expect(summary?.count).toBe(15);
    // A follower last heard the leader up to a heartbeat and a way before it fell; two rounds of votes and one of replication follow.
    expect(summary?.min).toBeGreaterThan(1700 - 170 - 140);
    expect(summary?.median).toBeLessThan(2000 + 3 * 300);
  });

  it('writes in the time of a round trip to a majority, and further away in that of the way to the leader as well', async () => {
    const rows = await rowsOf('regions-writes');
    // From Virginia the second nearest region is Oregon, 87 ms there and back.
    const own = summarize(msOf(rows, { kind: 'write', leader: 'N. Virginia', client: 'N. Virginia' }));
    expect(own?.min).toBeGreaterThanOrEqual(87);
    expect(own?.max).toBeLessThan(87 * 1.1 + 3);
    // From São Paulo it is a round trip to Virginia more.
    const away = summarize(msOf(rows, { kind: 'write', leader: 'N. Virginia', client: 'São Paulo' }));
    expect(away?.min).toBeGreaterThanOrEqual(87 + 119.5);
  });

  it('has latencies that are the same both ways', () => {
    for (const [from] of REGIONS.entries())
      for (const [to] of REGIONS.entries()) expect(oneWayMicros(from, to)).toBe(oneWayMicros(to, from));
  });

  it('elects nobody while no majority moves, and goes on when one comes back', () => {
    const cluster = new VirtualCluster({
      servers: 3,
      delay: () => 100,
      jitterPercent: 0,
      syncMicros: 1000,
      raft: {},
      random: randomStream(1, 'test'),
    });
    const serves = (): boolean => cluster.leader?.serves === true;
    expect(cluster.runUntil(serves, 60_000_000)).toBe(true);
    const [first, second] = cluster.servers;
    first?.freeze();
    second?.freeze();
    // The third may be the leader, which steps down when nobody answers for an election timeout.
    cluster.run(10_000_000);
    expect(serves()).toBe(false);
    second?.thaw();
    expect(cluster.runUntil(serves, 60_000_000)).toBe(true);
    const write = cluster.servers[2]?.write();
    expect(cluster.runUntil(() => write?.isOver === true, 60_000_000)).toBe(true);
    expect(write?.servedAt).not.toBeNull();
  });

  it('makes a voter of a server that is far away while clients write all the time', () => {
    const cluster = new VirtualCluster({
      servers: REGIONS.length,
      delay: oneWayMicros,
      jitterPercent: 10,
      syncMicros: 1000,
      raft: { electionTimeoutMin: 1_700_000, electionTimeoutMax: 2_000_000, heartbeatInterval: 100_000 },
      random: randomStream(1, 'test'),
    });
    const [tokyo, saoPaulo] = [cluster.servers[3], cluster.servers[4]];
    if (tokyo === undefined || saoPaulo === undefined) throw new Error('There are five regions.');
    expect(cluster.runUntil(() => cluster.leader?.serves === true, 60_000_000)).toBe(true);
    // It must have heard of the others.
    cluster.run(2_000_000);
    cluster.leader?.handOver(tokyo);
    expect(cluster.runUntil(() => tokyo.serves, 60_000_000)).toBe(true);
    const votes = (): boolean => tokyo.core.configuration.voters.includes(saoPaulo.id);
    const change = (op: 'demote' | 'promote'): void =>
      tokyo.step({ kind: 'change', id: 1, changes: [{ op, id: saoPaulo.id }], version: null, now: cluster.now });
    change('demote');
    expect(cluster.runUntil(() => !votes(), 60_000_000)).toBe(true);
    const write = (times: number): void => {
      for (let time = 0; time < times && !votes(); time++) {
        tokyo.write();
        cluster.run(5_000);
      }
    };
    write(400);
    change('promote');
    write(2000);
    expect(votes()).toBe(true);
  });
});
