/** `quorate recover --force-new-cluster`: goes on with what one server has, when the majority is lost for good. */
import { existsSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import {
  continueApply,
  foundFromRemains,
  RaftError,
  readRemains,
  type Remains,
  type StorageIdentity,
} from '@quorate/runtime';
import { nodeEnvironment } from '@quorate/runtime/node';
import { KvStateMachine, ReplicatedStore } from '@quorate/kv';
import { readContext } from '@quorate/server';
import { UsageError } from '../usage-error.ts';
import { print } from './session.ts';

export interface RecoverFlags {
  readonly dataDir: string;
  readonly yes?: boolean;
}

const quiet = { log: (): void => undefined };

export async function runRecover({ dataDir, yes }: RecoverFlags): Promise<void> {
  const directory = resolve(dataDir);
  const [fresh, old] = [`${directory}.recovering`, `${directory}.before-recovery`];
  if (!existsSync(directory)) await finishEarlierAttempt(directory, fresh, old);
  if (existsSync(old)) {
    throw new UsageError(
      `${old} is there already, from an earlier recovery. Move it away, or keep it and recover nothing.`,
    );
  }
  const machine = new KvStateMachine({ origin: { member: 0n, incarnation: 0n } });
  const store = new ReplicatedStore(machine, continueApply);
  const environment = nodeEnvironment({ dataDirectory: directory, logger: quiet });
  const remains = await outcome<Remains>((done) => readRemains(environment, store, done));
  print(describeRemains(directory, remains, machine));
  if (yes !== true) return print('\nNothing was changed. Add --yes to do it.');
  // What an interrupted attempt left was never used.
  await rm(fresh, { recursive: true, force: true });
  const next = nodeEnvironment({ dataDirectory: fresh, logger: quiet });
  const identity = await outcome<StorageIdentity>((done) => foundFromRemains(next, remains, store, done));
  await rename(directory, old);
  await rename(fresh, directory);
  await syncDirectory(dirname(directory));
  print(`\nDone. This server is now all of cluster ${identity.clusterId}. What it was is kept in ${old}.`);
  print(
    `Start it as before, with --initial-cluster-state existing. Start the others on empty directories, with --join.`,
  );
}

/** The last moment of a recovery was interrupted, between two renames: the new directory is complete. */
async function finishEarlierAttempt(directory: string, fresh: string, old: string): Promise<void> {
  if (!existsSync(fresh) || !existsSync(old)) throw new UsageError(`There is no directory ${directory}.`);
  await rename(fresh, directory);
  await syncDirectory(dirname(directory));
  throw new UsageError(
    `An earlier recovery of ${directory} was interrupted at its very end; it is finished now. Start the server with ` +
      '--initial-cluster-state existing.',
  );
}

function describeRemains(directory: string, remains: Remains, machine: KvStateMachine): string {
  const { identity, configuration, lastIndex, lastTerm } = remains;
  const name = (id: string): string => {
    const member = configuration.members.find((each) => each.id === id);
    const called = member === undefined ? '' : readContext(member.context).name;
    return called === '' ? id : `${id} (${called})`;
  };
  const voters = [...new Set([...configuration.voters, ...configuration.outgoing])];
  const others = voters.filter((id) => id !== identity.member).map(name);
  return `${directory} belongs to member ${name(identity.member)} of cluster ${identity.clusterId}.
Its log ends at entry ${lastIndex} of term ${lastTerm}; its store is at revision ${machine.store.revision}.
Other voters, as far as it knows: ${others.length === 0 ? 'none' : others.join(', ')}.

A new cluster will be made of what this server has, with this server as its only member.
- Lost for good is every write that the others have acknowledged without this server. Nobody can say how many that are. If
  other servers are left, run this on each without --yes, and take the one with the highest term, then the highest entry.
- Writes that are in its log, but were never acknowledged, take effect.
- The cluster gets a new id. It refuses the other servers with what they have on their disks. They must not be started again
  with it: as a majority they would go on as the old cluster, apart from the new one. Empty their data directories first.`;
}

function outcome<Value>(start: (done: (error: RaftError | null, value: Value | null) => void) => void): Promise<Value> {
  return new Promise((resolve, reject) => {
    start((error, value) => {
      if (error === null && value !== null) resolve(value);
      else reject(error ?? new RaftError('InternalError', 'The recovery ended without a result.'));
    });
  });
}

/** A rename is firm when the directory that holds both names is. */
async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
