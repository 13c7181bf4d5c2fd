/** Snapshots (§7): the log stays short, and a server that is behind gets the snapshot instead. */
import { checkOneLeader, one } from '../cluster/checks.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { ScenarioFailure } from '../cluster/failure.ts';
import { randomCommand } from './agreement.ts';
import type { LabTest } from './lab-test.ts';

const reliable = { part: 'snapshots', servers: 3, isUnreliable: false, hasSnapshots: true } as const;
const unreliable = { ...reliable, isUnreliable: true } as const;

/** Bytes that a saved state may have, the snapshot not counted. */
const MAX_LOG_BYTES = 2_000;
const SNAPSHOT_EVERY = 10;
const ROUNDS = 30;

type Misfortune = 'none' | 'disconnect' | 'crash';

function common(misfortune: Misfortune): (cluster: Cluster) => Promise<void> {
  return async (cluster) => {
    const all = cluster.servers;
    await one(cluster, randomCommand(cluster), all, true);
    let leader = await checkOneLeader(cluster);
    for (let round = 0; round < ROUNDS; round++) {
      const isSwapped = round % 3 === 1;
      const victim = isSwapped ? leader : (leader + 1) % all;
      const sender = isSwapped ? (leader + 1) % all : leader;
      if (misfortune === 'disconnect') cluster.disconnect(victim);
      if (misfortune === 'crash') cluster.crash(victim);
      if (misfortune !== 'none') await one(cluster, randomCommand(cluster), all - 1, true);
      const commands = SNAPSHOT_EVERY / 2 + cluster.random.below(SNAPSHOT_EVERY);
      for (let count = 0; count < commands; count++) cluster.raft(sender)?.start(randomCommand(cluster));
      await one(cluster, randomCommand(cluster), misfortune === 'none' ? all : all - 1, true);
      checkLogSize(cluster);
      if (misfortune === 'none') continue;
      if (misfortune === 'crash') cluster.start(victim);
      cluster.connect(victim);
      await one(cluster, randomCommand(cluster), all, true);
      leader = await checkOneLeader(cluster);
    }
  };
}

function checkLogSize(cluster: Cluster): void {
  const bytes = cluster.logSize();
  if (bytes >= MAX_LOG_BYTES) {
    throw new ScenarioFailure(`a saved state has ${bytes} bytes; with snapshots it must stay below ${MAX_LOG_BYTES}`);
  }
}

function restartAll(cluster: Cluster): void {
  for (let server = 0; server < cluster.servers; server++) cluster.crash(server);
  for (let server = 0; server < cluster.servers; server++) cluster.restart(server);
}

async function allCrash(cluster: Cluster): Promise<void> {
  const all = cluster.servers;
  await one(cluster, randomCommand(cluster), all, true);
  for (let round = 0; round < 5; round++) {
    const commands = SNAPSHOT_EVERY / 2 + cluster.random.below(SNAPSHOT_EVERY);
    for (let count = 0; count < commands; count++) await one(cluster, randomCommand(cluster), all, true);
    const before = await one(cluster, randomCommand(cluster), all, true);
    restartAll(cluster);
    const after = await one(cluster, randomCommand(cluster), all, true);
    if (after < before + 1) {
      throw new ScenarioFailure(
        `index ${before} was agreed on before the crash, and ${after} behind it: indexes went back`,
      );
    }
  }
}

async function init(cluster: Cluster): Promise<void> {
  const all = cluster.servers;
  await one(cluster, randomCommand(cluster), all, true);
  for (let count = 0; count <= SNAPSHOT_EVERY; count++) await one(cluster, randomCommand(cluster), all, true);
  restartAll(cluster);
  // This makes the servers save anew: the snapshot must still be there then.
  await one(cluster, randomCommand(cluster), all, true);
  restartAll(cluster);
  await one(cluster, randomCommand(cluster), all, true);
}

export const snapshots: readonly LabTest[] = [
  { ...reliable, name: 'SnapshotBasic', title: 'snapshots basic', run: common('none') },
  { ...reliable, name: 'SnapshotInstall', title: 'install snapshots (disconnect)', run: common('disconnect') },
  {
    ...unreliable,
    name: 'SnapshotInstallUnreliable',
    title: 'install snapshots (disconnect+unreliable)',
    run: common('disconnect'),
  },
  { ...reliable, name: 'SnapshotInstallCrash', title: 'install snapshots (crash)', run: common('crash') },
  {
    ...unreliable,
    name: 'SnapshotInstallUnCrash',
    title: 'install snapshots (unreliable+crash)',
    run: common('crash'),
  },
  { ...reliable, name: 'SnapshotAllCrash', title: 'crash and restart all servers', run: allCrash },
  { ...reliable, name: 'SnapshotInit', title: 'snapshot initialization after crash', run: init },
];
