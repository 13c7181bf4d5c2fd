import type { Disk } from './environment.ts';
import type { StorageError, StorageIdentity } from './storage.ts';
import { runSteps, sizeIfPresent, type Steps } from './steps.ts';
import { UNFINISHED_PATH } from './create-directory.ts';
import { HARD_STATE_PATH, readHardStateFile } from './wal/hard-state-file.ts';
import { noOwner, ownerInLog } from './wal/owner-in-log.ts';

/**
 * Whose a data directory is, without claiming it: null for one that has not been begun. Where `hardstate` is damaged in both copies the
 * log says it. Also of a server that runs.
 */
export function readIdentity(
  disk: Disk,
  done: (error: StorageError | null, identity: StorageIdentity | null) => void,
): void {
  runSteps(identityIn(disk), (error, identity) => done(error, identity ?? null));
}

function* identityIn(disk: Disk): Steps<StorageIdentity | null> {
  if ((yield* sizeIfPresent(disk.background, UNFINISHED_PATH)) !== null) return null;
  if ((yield* sizeIfPresent(disk.background, HARD_STATE_PATH)) === null) return null;
  const file = yield* readHardStateFile(disk.background);
  if (file !== null) return file.manifest.identity;
  const owner = yield* ownerInLog(disk.background);
  if (owner !== null) return owner;
  throw noOwner();
}
