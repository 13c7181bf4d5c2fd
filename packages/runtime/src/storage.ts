/**
 * What the node's loop needs of durable storage: the log, term and vote, snapshots. One implementation stands in
 * wal/ and snapshots/, over the environment's disk, so that the simulator breaks the very code that production runs.
 */
import type {
  Entry,
  HardState,
  Incarnation,
  Index,
  PersistBatch,
  RecoveredState,
  SnapshotMetadata,
} from '@quorate/raft';
import type { Configuration, MemberId } from '@quorate/raft';
import type { KnownLives } from './known-lives.ts';

/** Whose data directory this is. Written when the directory is created, never changed. */
export interface StorageIdentity {
  /** Derived from the cluster's name and first members; servers of another cluster are refused. 16 hex digits. */
  readonly clusterId: string;
  readonly group: number;
  readonly member: MemberId;
  /** Drawn at creation. 16 hex digits. */
  readonly incarnation: Incarnation;
}

/** What opening a directory found. */
export interface OpenedStorage {
  readonly storage: RaftStorage;
  readonly identity: StorageIdentity;
  readonly recovered: RecoveredState;
  /** The lives of founding members that this server was told of. */
  readonly lives: KnownLives;
  /** Things an operator should know: a torn batch dropped, a leftover removed. One sentence each. */
  readonly notes: readonly string[];
}

/** How a new directory begins. */
export interface StorageCreation {
  readonly identity: StorageIdentity;
  /** The first configuration, the same on all founding servers; empty on a server that is to be let in later. */
  readonly configuration: Configuration;
  /** Term below which this incarnation must not vote, learned from peers at creation; usually 0. */
  readonly hardState: HardState;
}

export interface RaftStorage {
  /**
   * Makes the batches durable as one unit, in order. At most one call may be in flight; the caller merges what arrives
   * meanwhile into the next. Entries that a batch repairs can be read again once it is durable. An error is fatal for the server, whatever it was: nothing may be promised after it.
   * The one exception is checked before: see `hasRoomFor`.
   */
  append(batches: readonly PersistBatch[], done: (error: StorageError | null) => void): void;
  /**
   * Whether so many entries with so many payload bytes together can be appended without touching the disk reserve; counts them as
   * on their way if so. A cheap estimate, rather too low than too high.
   */
  hasRoomFor(bytes: number, entries: number): boolean;
  /**
   * Hears, once and later, that the log has failed, whatever it was doing: also what nobody waits for, such as preparing a
   * segment. Nothing can be made durable any more: a server that went on would be a leader that only refuses.
   */
  onFailure(listener: (error: StorageError) => void): void;
  /**
   * Entries from `from` on, contiguous, at most to `to`, at most `maxBytes` of payload but at least one. It ends before a damaged
   * one; when `from` itself is damaged, the error is `FaultyEntry` and names it.
   */
  read(
    from: Index,
    to: Index,
    maxBytes: number,
    done: (error: StorageError | null, entries: readonly Entry[]) => void,
  ): void;
  /** The log up to and including `through` is no longer needed; whole segments go. */
  compact(through: Index, done: (error: StorageError | null) => void): void;
  /** Bytes of log behind the newest snapshot, for the decision to take another. */
  logBytesSince(index: Index): number;

  /** Begins a snapshot of this server's own state. */
  createSnapshot(metadata: SnapshotMetadata): SnapshotWriter;
  /** Begins to receive a snapshot from a peer; goes on where an interrupted transfer of the same snapshot stopped. */
  receiveSnapshot(
    metadata: SnapshotMetadata,
    totalBytes: number,
    done: (error: StorageError | null, receiver: SnapshotReceiver | null) => void,
  ): void;
  /** Opens the newest durable snapshot for reading: to restore, or to stream to a peer. Null if there is none. */
  openSnapshot(done: (error: StorageError | null, reader: SnapshotReader | null) => void): void;

  /** Finishes what is in flight, then releases every file. */
  close(done: () => void): void;
}

export interface SnapshotWriter {
  /** Appends a slice, as the state machine cut it. Calls back when another may come. */
  write(slice: Uint8Array, done: (error: StorageError | null) => void): void;
  /** Checksums, syncs, renames, syncs the folder; the previous snapshot goes only then. */
  commit(done: (error: StorageError | null) => void): void;
  abort(): void;
}

/** Takes the file's bytes as the sender's disk holds them. */
export interface SnapshotReceiver {
  /** Bytes already here and verified as far as they go: the sender starts at this offset. */
  readonly offset: number;
  write(bytes: Uint8Array, done: (error: StorageError | null) => void): void;
  /**
   * All bytes are here: verifies the whole and syncs it, aside. It becomes the current snapshot only by a batch that names
   * it (`PersistBatch.snapshot`).
   */
  finish(done: (error: StorageError | null) => void): void;
  /** Stops; what arrived stays for a later attempt. */
  suspend(): void;
}

export interface SnapshotReader {
  readonly metadata: SnapshotMetadata;
  readonly totalBytes: number;
  /** The file's bytes, to stream to a peer. Verified as long as they are read from the beginning on: `CorruptSnapshot` if damaged. */
  readBytes(offset: number, length: number, done: (error: StorageError | null, bytes: Uint8Array) => void): void;
  /** The next slice as the state machine cut it, verified; null at the end. */
  readSlice(done: (error: StorageError | null, slice: Uint8Array | null) => void): void;
  close(): void;
}

/** What went wrong with a directory, and what the operator can do about it. */
export interface StorageError {
  readonly code:
    | 'DirectoryInUse'
    | 'ForeignDirectory'
    | 'UnsupportedVersion'
    | 'CorruptLog'
    | 'CorruptSnapshot'
    | 'CorruptState'
    | 'UnknownEntryKind'
    | 'DiskFull'
    | 'DiskFailed'
    | 'Compacted'
    | 'FaultyEntry'
    | 'InvalidSnapshot';
  /** One or two sentences, with file and offset where there is one, and what to do next. */
  readonly message: string;
  readonly path: string | null;
  readonly offset: number | null;
  /** The damaged entry of a `FaultyEntry`; otherwise null. */
  readonly index: Index | null;
}
