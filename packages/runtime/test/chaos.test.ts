import { describe, expect, it } from 'vitest';
import { command } from './support/counter.ts';
import { VirtualCluster, type VirtualServer } from './support/virtual-cluster.ts';

/** What the caller of a command was told. */
type Told = 'waiting' | 'applied' | 'refused' | 'unknown';

const rounds = 30;

/**
 * Servers lose power, networks break and processes stand still while commands are proposed everywhere. What callers were told
 * must agree with what the state machines hold in the end.
 */
describe('whatever happens, no caller is lied to', () => {
  const seeds = Array.from({ length: 12 }, (_, position) => 1000 + position);
  for (const seed of seeds) {
    it(`seed ${seed}, three servers`, () => disaster(seed, 3));
  }
  it('seed 2000, five servers', () => disaster(2000, 5));
});

async function disaster(seed: number, size: number): Promise<void> {
  const cluster = new VirtualCluster(seed, size, {
    raft: { maxLogCacheBytes: 2000 },
    limits: { snapshotMinLogBytes: 6000, snapshotTrailingEntries: 20, requestTimeout: 5_000_000 },
  });
  const told = new Map<string, Told>();
  await cluster.startAll();
  for (let round = 0; round < rounds; round++) {
    if (round % 3 === 2) repair(cluster);
    else trouble(cluster, told);
    propose(cluster, told, `${round}`);
    await cluster.world.run(draw(cluster, 1_500_000));
  }
  await recover(cluster);
  expect(cluster.live.filter((server) => server.openError !== null)).toEqual([]);
  await cluster.world.until(() => ![...told.values()].includes('waiting'), 'an outcome for every command', 20_000_000);
  for (const { machine } of cluster.servers) {
    expect(machine.commands).toEqual(cluster.servers[0]?.machine.commands);
  }
  const applied = cluster.servers[0]?.machine.commands ?? [];
  expect(new Set(applied).size).toBe(applied.length);
  const held = new Set(applied);
  const lost = [...told].filter(([text, what]) => what === 'applied' && !held.has(text));
  const undead = [...told].filter(([text, what]) => what === 'refused' && held.has(text));
  expect({ lost, undead }).toEqual({ lost: [], undead: [] });
  expect([...told.values()].filter((what) => what === 'applied').length).toBeGreaterThan(20);
}

function propose(cluster: VirtualCluster, told: Map<string, Told>, round: string): void {
  for (const { id, node } of cluster.live) {
    for (let i = 0; i < 5; i++) {
      const text = `${id}/${round}/${i}`;
      told.set(text, 'waiting');
      node?.proposeWith(command(text), (outcome) => told.set(text, outcome.kind));
    }
  }
}

function trouble(cluster: VirtualCluster, told: Map<string, Told>): void {
  const server = pick(cluster);
  switch (draw(cluster, 8)) {
    case 0:
    case 1:
      if (server.node !== null) kill(cluster, server, told);
      return;
    case 2:
    case 3:
      cluster.world.network.isolate(server.id, cluster.ids);
      return;
    case 4:
    case 5:
      cluster.world.network.silence(server.id, pick(cluster).id);
      return;
    default:
      cluster.world.freeze(server.id);
      cluster.world.after(draw(cluster, 3_000_000), () => cluster.world.thaw(server.id));
  }
}

function repair(cluster: VirtualCluster): void {
  cluster.world.network.heal();
  for (const server of cluster.servers) if (!server.isAlive) cluster.restart(server);
}

/** The callers on a dead server hear nothing any more: for them the outcome is unknown. */
function kill(cluster: VirtualCluster, server: VirtualServer, told: Map<string, Told>): void {
  cluster.kill(server);
  for (const [text, what] of told)
    if (what === 'waiting' && text.startsWith(`${server.id}/`)) told.set(text, 'unknown');
}

async function recover(cluster: VirtualCluster): Promise<void> {
  repair(cluster);
  await cluster.world.run(5_000_000);
  const errors = cluster.servers.map((server) => server.openError).filter((error) => error !== null);
  expect(errors).toEqual([]);
  await cluster.leader();
  await cluster.converged();
}

function pick(cluster: VirtualCluster): VirtualServer {
  const server = cluster.servers[draw(cluster, cluster.servers.length)];
  if (server === undefined) throw new Error('no servers');
  return server;
}

function draw(cluster: VirtualCluster, bound: number): number {
  return cluster.world.random.uint32() % bound;
}
