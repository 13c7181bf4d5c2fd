/**
 * How much may still be appended. Free space is looked at now and then, never on the way of an append, and a file held in reserve
 * is given up only when something must be written that cannot be refused: term, vote, what a leader sends.
 */
import type { DiskError, DiskOperation, DiskQueue, Environment, TimerHandle } from '../environment.ts';
import type { StorageOptions } from '../storage-options.ts';

export const RESERVE_PATH = 'reserve';

export class DiskRoom {
  readonly #disk: DiskQueue;
  readonly #timers: Environment['timers'];
  readonly #options: StorageOptions;
  readonly #onFailure: (error: DiskError) => void;
  readonly #onPoll: () => void;
  #free: number;
  #reserve: 'absent' | 'creating' | 'held' = 'absent';
  #timer: TimerHandle | null = null;
  #polling = false;
  #stopped = false;

  constructor(
    environment: Pick<Environment, 'disk' | 'timers'>,
    options: StorageOptions,
    found: { readonly free: number; readonly reserveHeld: boolean },
    onPoll: () => void,
    onFailure: (error: DiskError) => void,
  ) {
    this.#disk = environment.disk.background;
    this.#timers = environment.timers;
    this.#options = options;
    this.#free = found.free;
    if (found.reserveHeld) this.#reserve = 'held';
    this.#onPoll = onPoll;
    this.#onFailure = onFailure;
    if (options.reserveBytes === 0) this.#reserve = 'held';
  }

  /** Bytes that may be written without touching the reserve, as last seen. */
  get free(): number {
    return this.#reserve === 'held' ? this.#free : Math.max(0, this.#free - this.#options.reserveBytes);
  }

  /** The log took this much from free space. Sees to it that free space is looked at again before long. */
  used(bytes: number): void {
    this.#free = Math.max(0, this.#free - bytes);
    this.schedule();
  }

  /** Something was written: look at free space after a while. An idle server is not woken for it. */
  schedule(): void {
    if (this.#timer !== null || this.#polling || this.#stopped) return;
    this.#timer = this.#timers.set(this.#options.freePollInterval, () => {
      this.#timer = null;
      this.#poll();
    });
  }

  /** What to do before writing `bytes` that take free space: gives up the reserve when there is too little. */
  makeRoomFor(bytes: number): readonly DiskOperation[] {
    if (this.#reserve !== 'held' || bytes <= this.#free) return [];
    this.#reserve = 'absent';
    this.#free += this.#options.reserveBytes;
    return [{ op: 'remove', path: RESERVE_PATH }];
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer !== null) this.#timers.clear(this.#timer);
    this.#timer = null;
  }

  #poll(): void {
    this.#polling = true;
    this.#disk.free((error, free) => {
      this.#polling = false;
      if (this.#stopped) return;
      if (error !== null) return this.#onFailure(error);
      this.#free = free;
      this.#holdReserve();
      this.#onPoll();
      if (this.#reserve !== 'held' || free < this.#options.segmentBytes) this.schedule();
    });
  }

  /** Not before the first look at free space: a server that lives shortly need not write it. Twice its size must be free, so that taking it does not itself fill the disk. */
  #holdReserve(): void {
    const { reserveBytes } = this.#options;
    if (this.#reserve !== 'absent' || this.#free < 2 * reserveBytes) return;
    this.#reserve = 'creating';
    this.#disk.submit(
      [
        { op: 'allocate', path: RESERVE_PATH, length: reserveBytes },
        { op: 'sync', path: RESERVE_PATH },
      ],
      (error) => {
        this.#reserve = error === null ? 'held' : 'absent';
        if (error === null || error.code === 'ENOSPC' || error.code === 'EDQUOT') return this.schedule();
        this.#onFailure(error);
      },
    );
  }
}
