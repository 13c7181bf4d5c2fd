/** The next segment, filled with zeros before it is needed, so that appending never waits for the file system to find room. */
import type { DiskError, DiskQueue } from '../environment.ts';
import { isNoSpace } from '../storage-failure.ts';
import type { StorageOptions } from '../storage-options.ts';
import type { Room } from './disk-room.ts';
import { LOG_DIRECTORY, SPARE_PATH } from './format.ts';

export class SpareSegment {
  readonly #disk: DiskQueue;
  readonly #options: StorageOptions;
  readonly #room: Room;
  readonly #onFailure: (error: DiskError) => void;
  #state: 'absent' | 'preparing' | 'ready' | 'noRoom' = 'absent';
  #stopped = false;

  /** `onFailure` hears of every failure but a full disk. */
  constructor(disk: DiskQueue, options: StorageOptions, room: Room, onFailure: (error: DiskError) => void) {
    this.#disk = disk;
    this.#options = options;
    this.#room = room;
    this.#onFailure = onFailure;
  }

  get ready(): boolean {
    return this.#state === 'ready';
  }

  /**
   * Begins to prepare a spare, unless there is one or there was no room for it. As much again must be left beside it: while it is
   * being prepared neither its bytes nor those that it took can be written to.
   */
  prepare(): void {
    if (this.#state !== 'absent' || this.#stopped) return;
    if (this.#room.free < 2 * this.#options.segmentBytes) return;
    this.#state = 'preparing';
    this.#room.take(this.#options.segmentBytes);
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
        if (error !== null) return this.#failed(error, from);
        this.#room.settle(length - from);
        if (whole) this.#state = 'ready';
        else this.#grow(length);
      },
    );
  }

  #failed(error: DiskError, from: number): void {
    this.#room.settle(this.#options.segmentBytes - from);
    if (!isNoSpace(error)) return this.#onFailure(error);
    this.#state = 'noRoom';
    this.#disk.submit([{ op: 'remove', path: SPARE_PATH }], (failure) => {
      if (failure !== null) this.#onFailure(failure);
    });
  }
}
