/** Opening the folder of snapshots: which one is current, and what is left of unfinished work. */
import type { SnapshotMetadata } from '@quorate/raft';
import type { DiskQueue } from '../environment.ts';
import { StorageFailure } from '../storage-failure.ts';
import type { StorageIdentity } from '../storage.ts';
import { listIfPresent, type Steps, submit } from '../steps.ts';
import { SNAPSHOT_DIRECTORY, type SnapshotFile, snapshotOfName, snapshotPath } from './format.ts';
import { corruptSnapshot, readSnapshotHeader, WHAT_TO_DO_WITH_SNAPSHOT } from './reader.ts';

export interface RecoveredSnapshots {
  readonly current: SnapshotMetadata;
  readonly received: SnapshotFile | null;
  readonly partial: SnapshotFile | null;
}

/** `installed` is the snapshot that the log names as its beginning: it must be there, under one of its two names. */
export function* recoverSnapshots(
  disk: DiskQueue,
  identity: StorageIdentity,
  installed: { readonly index: number; readonly term: number } | null,
  notes: string[],
): Steps<RecoveredSnapshots> {
  const names = yield* listIfPresent(disk, SNAPSHOT_DIRECTORY);
  let files = names.map(snapshotOfName).filter((file) => file !== null);
  if (installed !== null) files = yield* finishInstall(disk, files, installed, notes);
  const newest = newestOf(files, 'done');
  if (newest === null || (installed !== null && newest.index < installed.index)) throw missingSnapshot(installed);
  const path = snapshotPath(newest);
  // The rest is checked when it is read: another server can make up for it.
  const { metadata, writer } = yield* readSnapshotHeader(disk, path);
  if (writer.clusterId !== identity.clusterId || writer.group !== identity.group) {
    const whose = `cluster ${writer.clusterId}, group ${writer.group}`;
    throw new StorageFailure(
      'ForeignDirectory',
      `The snapshot '${path}' belongs to ${whose}, but this directory to cluster ${identity.clusterId}, group ${identity.group}. Put back the right file.`,
      path,
      0,
    );
  }
  if (metadata.index !== newest.index || metadata.term !== newest.term) {
    throw corruptSnapshot(path, 0, `its header says index ${metadata.index}, term ${metadata.term}, unlike its name`);
  }
  const coming = files.filter((file) => file.index > newest.index);
  const received = newestOf(coming, 'received');
  const partial = newestOf(coming, 'partial');
  const leftovers = files.filter((file) => file !== newest && file !== received && file !== partial);
  yield* submit(
    disk,
    leftovers.map((file) => ({ op: 'remove', path: snapshotPath(file) }) as const),
  );
  return { current: metadata, received, partial };
}

/** The batch that installs a snapshot was durable, but the crash came before the file had its final name. */
function* finishInstall(
  disk: DiskQueue,
  files: readonly SnapshotFile[],
  installed: { readonly index: number; readonly term: number },
  notes: string[],
): Steps<SnapshotFile[]> {
  const waiting = files.find(
    (file) => file.kind === 'received' && file.index === installed.index && file.term === installed.term,
  );
  const there = files.some((file) => file.kind === 'done' && file.index >= installed.index);
  if (waiting === undefined || there) return [...files];
  const final: SnapshotFile = { kind: 'done', index: installed.index, term: installed.term, totalBytes: 0 };
  yield* submit(disk, [
    { op: 'rename', from: snapshotPath(waiting), to: snapshotPath(final) },
    { op: 'syncDirectory', path: SNAPSHOT_DIRECTORY },
  ]);
  notes.push(`The installation of the snapshot of index ${installed.index}, which a crash interrupted, was finished.`);
  return [...files.filter((file) => file !== waiting), final];
}

function newestOf(files: readonly SnapshotFile[], kind: SnapshotFile['kind']): SnapshotFile | null {
  const sorted = files.filter((file) => file.kind === kind).sort((a, b) => b.index - a.index || b.term - a.term);
  return sorted[0] ?? null;
}

function missingSnapshot(installed: { readonly index: number } | null): StorageFailure {
  const which = installed === null ? 'There is no snapshot' : `The snapshot of index ${installed.index} is missing`;
  return new StorageFailure(
    'CorruptSnapshot',
    `${which} in '${SNAPSHOT_DIRECTORY}', though the log builds on it. ${WHAT_TO_DO_WITH_SNAPSHOT}`,
    SNAPSHOT_DIRECTORY,
  );
}
