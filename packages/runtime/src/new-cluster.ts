/**
 * A new cluster from one server's data, for when the majority of the old one is lost for good. Everything that the log holds takes
 * effect, committed or not: what was acknowledged is among it as far as this server has it. The new cluster has an id of its own,
 * so that servers of the old one are refused, whatever they know.
 */
import {
  type Configuration,
  type Entry,
  EntryKind,
  type HardState,
  type Index,
  initialConfiguration,
  memberOf,
  type RecoveredState,
  type Term,
} from '@quorate/raft';
import { drawHex16 } from './draw.ts';
import type { Environment } from './environment.ts';
import { describe, RaftError } from './errors.ts';
import { restoreNewestSnapshot, storageFailed } from './loop/restore.ts';
import { openStorage } from './open-storage.ts';
import { continueApply, type SnapshotSource, type StateMachine } from './state-machine.ts';
import type { RaftStorage, SnapshotWriter, StorageIdentity } from './storage.ts';

/** Entries fetched at a time. Bytes. */
const maxReadBytes = 1 << 20;

/** What one server has. */
export interface Remains {
  readonly identity: StorageIdentity;
  /** The newest configuration in its log. */
  readonly configuration: Configuration;
  readonly hardState: HardState;
  readonly lastIndex: Index;
  readonly lastTerm: Term;
}

type Done<Value> = (error: RaftError | null, value: Value | null) => void;

/**
 * Reads all that the data directory holds into `stateMachine`, which must be fresh. Fails with a RaftError: `StorageFailed` when the
 * directory is empty, held by a server that runs, or damaged; `StateMachineFailed`.
 */
export function readRemains(
  environment: Pick<Environment, 'disk' | 'timers'>,
  stateMachine: StateMachine,
  done: Done<Remains>,
): void {
  openStorage(environment, null, {}, (error, opened) => {
    if (error !== null) return environment.disk.close(() => done(storageFailed(error), null));
    if (opened === null) return environment.disk.close(() => done(failed('The directory holds no data.'), null));
    const { storage, identity, recovered } = opened;
    const finish: Done<Remains> = (problem, remains) => storage.close(() => done(problem, remains));
    const [faulty] = recovered.faulty;
    if (faulty !== undefined) {
      const many = `${recovered.faulty.length} entries of the log are damaged, the first at index ${faulty.index}.`;
      return finish(
        failed(`${many} Take another server, or drop the end first: quorate wal repair --drop-tail.`),
        null,
      );
    }
    restoreNewestSnapshot(storage, stateMachine, (problem) => {
      if (problem !== null) return finish(problem, null);
      applyFrom(storage, stateMachine, recovered.snapshot.index + 1, recovered.lastIndex, (trouble) => {
        finish(trouble, trouble === null ? remainsOf(identity, recovered) : null);
      });
    });
  });
}

function remainsOf(identity: StorageIdentity, recovered: RecoveredState): Remains {
  const { hardState, snapshot, base, lastIndex, termRuns, configurations } = recovered;
  return {
    identity,
    configuration: configurations.at(-1) ?? snapshot.configuration,
    hardState,
    lastIndex: Math.max(lastIndex, snapshot.index),
    lastTerm: lastIndex > snapshot.index ? (termRuns.at(-1)?.term ?? base.term) : snapshot.term,
  };
}

function applyFrom(
  storage: RaftStorage,
  stateMachine: StateMachine,
  from: Index,
  to: Index,
  done: (error: RaftError | null) => void,
): void {
  if (from > to) return done(null);
  storage.read(from, to, maxReadBytes, (error, entries) => {
    if (error !== null) return done(storageFailed(error));
    try {
      for (const entry of entries) applyOne(stateMachine, entry);
    } catch (cause) {
      const message = `The state machine refuses an entry from ${from} on: ${describe(cause)}`;
      return done(new RaftError('StateMachineFailed', message, { cause }));
    }
    applyFrom(storage, stateMachine, from + entries.length, to, done);
  });
}

function applyOne(stateMachine: StateMachine, entry: Entry): void {
  if (entry.kind !== EntryKind.command) return;
  while (stateMachine.apply(entry) === continueApply);
}

/**
 * Begins the data directory of a new cluster with this server as its only member, and the state of `stateMachine`. The environment's
 * directory must be empty. Calls back with the new identity.
 */
export function foundFromRemains(
  environment: Pick<Environment, 'disk' | 'timers' | 'random'>,
  remains: Remains,
  stateMachine: StateMachine,
  done: Done<StorageIdentity>,
): void {
  const { random } = environment;
  const { group, member } = remains.identity;
  const identity = { clusterId: drawHex16(random), group, member, incarnation: drawHex16(random) };
  const configuration = configurationOf(remains, identity);
  // Above every term in which this server's earlier life may have voted.
  const hardState = { term: remains.hardState.term + 1, vote: null };
  openStorage(environment, { identity, configuration, hardState }, {}, (error, opened) => {
    if (error !== null) return environment.disk.close(() => done(storageFailed(error), null));
    if (opened === null) return environment.disk.close(() => done(failed('The directory was not begun.'), null));
    const { storage } = opened;
    const finish = (problem: RaftError | null): void => {
      storage.close(() => done(problem, problem === null ? identity : null));
    };
    const { lastIndex: index, lastTerm: term } = remains;
    if (index === 0) return finish(null);
    const snapshot = { index, term, configuration: { ...configuration, index } };
    writeSnapshot(storage.createSnapshot(snapshot), stateMachine.openSnapshot(), (problem) => {
      if (problem !== null) return finish(problem);
      // The log begins behind the snapshot.
      const batch = { id: 1, hardState, truncateFrom: 0, entries: [], snapshot, adopt: null, repairs: [] };
      storage.append([batch], (failure) => finish(failure === null ? null : storageFailed(failure)));
    });
  });
}

function configurationOf({ configuration }: Remains, { member, incarnation }: StorageIdentity): Configuration {
  const context = memberOf(configuration, member)?.context ?? '';
  const alone = initialConfiguration([{ id: member, incarnation, context }]);
  return { ...alone, version: configuration.version + 1, protocol: configuration.protocol };
}

function writeSnapshot(writer: SnapshotWriter, source: SnapshotSource, done: (error: RaftError | null) => void): void {
  const slice = source.next();
  if (slice === null) {
    source.close();
    writer.commit((error) => done(error === null ? null : storageFailed(error)));
    return;
  }
  writer.write(slice, (error) => {
    if (error === null) return writeSnapshot(writer, source, done);
    source.close();
    writer.abort();
    done(storageFailed(error));
  });
}

function failed(message: string): RaftError {
  return new RaftError('StorageFailed', message);
}
