/** The next segment, filled with zeros before it is needed, so that appending never waits for the file system to find room. */
import type { DiskError, DiskQueue } from '../environment.ts';
import type { StorageOptions } from '../storage-options.ts';
import { LOG_DIRECTORY, SPARE_PATH } from './format.ts';

export class SpareSegment {
  readonly #disk: DiskQueue;
  readonly #options: StorageOptions;
  readonly #onFailure: (error: DiskError) => void;
  #state: 'absent' | 'preparing' | 'ready' | 'noRoom' = 'absent';
  #stopped = false;

  /** `onFailure` hears of every failure but a full disk. */
  constructor(disk: DiskQueue, options: StorageOptions, onFailure: (error: DiskError) => void) {
    this.#disk = disk;
    this.#options = options;
    this.#onFailure = onFailure;
  }

  get ready(): boolean {
    return this.#state === 'ready';
  }

  /** Begins to prepare a spare, unless there is one or there was no room for it. */
  prepare(): void {
    if (this.#state !== 'absent' || this.#stopped) return;
    this.#state = 'preparing';
    this.#grow(0);
  }

  /** The spare has been renamed: it is a segment now. */
  taken(): void {
    this.#state = 'absent';
  }

  /** There may be room again. */
  retry(): void {
    if (this.#state === 'noRoom') this.#state = 'absent';
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Step by step, so that reads on the same queue and the log's syncs on the other get their turn. */
  #grow(from: number): void {
    if (this.#stopped) return;
    const length = Math.min(from + this.#options.allocateStepBytes, this.#options.segmentBytes);
    const whole = length === this.#options.segmentBytes;
    this.#disk.submit(
      [
        { op: 'allocate', path: SPARE_PATH, length },
        { op: 'sync', path: SPARE_PATH },
        ...(whole ? [{ op: 'syncDirectory', path: LOG_DIRECTORY } as const] : []),
      ],
      (error) => {
        if (error !== null) return this.#failed(error);
        if (whole) this.#state = 'ready';
        else this.#grow(length);
      },
    );
  }

  #failed(error: DiskError): void {
    if (error.code !== 'ENOSPC' && error.code !== 'EDQUOT') return this.#onFailure(error);
    this.#state = 'noRoom';
    this.#disk.submit([{ op: 'remove', path: SPARE_PATH }], (failure) => {
      if (failure !== null) this.#onFailure(failure);
    });
  }
}
