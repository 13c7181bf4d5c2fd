/** What an embedder may set about storage. Every limit has a name, a unit and a default. */
export interface StorageOptions {
  /** The size to which log segments are prepared, and beyond which the next one begins. Bytes, 64 KiB to 1 GiB. */
  readonly segmentBytes: number;
  /** A segment is prepared in steps of this size, each synced, so that the log's own syncs never wait long. Bytes. */
  readonly allocateStepBytes: number;
  /** Kept back on disk, so that term, vote and what other servers send can still be written when the disk is full. Bytes. */
  readonly reserveBytes: number;
  /** How often free space is looked at while the log is written to or space is short. Microseconds. */
  readonly freePollInterval: number;
  /** Free space is looked at again at the latest when this much was written since. Bytes. */
  readonly freePollBytes: number;
  /** Payload bytes of the newest entries that opening hands to the core. */
  readonly maxTailBytes: number;
  /** A snapshot is synced each time that this much was written, so that the last sync is short. Bytes. */
  readonly snapshotSyncBytes: number;
}

export const defaultStorageOptions: StorageOptions = {
  segmentBytes: 64 << 20,
  allocateStepBytes: 4 << 20,
  reserveBytes: 16 << 20,
  freePollInterval: 2_000_000,
  freePollBytes: 8 << 20,
  maxTailBytes: 8 << 20,
  snapshotSyncBytes: 4 << 20,
};

const MIN_SEGMENT_BYTES = 64 << 10;
const MAX_SEGMENT_BYTES = 1 << 30;

/** Fills in the defaults; throws RangeError for a value out of bounds. */
export function storageOptions(given: Partial<StorageOptions>): StorageOptions {
  const options = { ...defaultStorageOptions, ...given };
  for (const [name, value] of Object.entries(options)) {
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new RangeError(`The storage option ${name} must be a whole number of at least 0, not ${value}.`);
    }
  }
  const { segmentBytes } = options;
  if (segmentBytes < MIN_SEGMENT_BYTES || segmentBytes > MAX_SEGMENT_BYTES) {
    throw new RangeError(
      `The storage option segmentBytes must be ${MIN_SEGMENT_BYTES} to ${MAX_SEGMENT_BYTES}, not ${segmentBytes}.`,
    );
  }
  if (options.allocateStepBytes === 0) throw new RangeError('The storage option allocateStepBytes must be at least 1.');
  return options;
}
