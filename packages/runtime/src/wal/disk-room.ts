/**
 * How much may still be written. Free space is measured beside the work, never on the way of an append; what this server itself
 * begins to write is taken off at once, so that between two looks the estimate errs towards too little. A file held in reserve is
 * given up only when something must be written that cannot be refused: term, vote, what a leader sends.
 */
import type { DiskError, DiskOperation, DiskQueue, Environment, TimerHandle } from '../environment.ts';
import { isNoSpace } from '../storage-failure.ts';
import type { StorageOptions } from '../storage-options.ts';

export const RESERVE_PATH = 'reserve';

/** After a refusal the next look comes in this part of `freePollInterval`. */
const SOON = 0.05;

/** Who writes to the data directory says so here. */
export interface Room {
  /** Bytes that may be written without touching the reserve, estimated low. */
  readonly free: number;
  /** Takes `bytes` of free space, at the latest when they are handed to the disk. */
  take(bytes: number): void;
  /** Bytes that were taken are on the disk, or will never be: the next measurement shows what became of them. */
  settle(bytes: number): void;
  /** Somebody was refused. There may be more than the estimate knows, and who is refused writes nothing that would make it look. */
  refused(): void;
}

export class DiskRoom implements Room {
  readonly #disk: DiskQueue;
  readonly #timers: Environment['timers'];
  readonly #options: StorageOptions;
  readonly #onFailure: (error: DiskError) => void;
  readonly #onPoll: () => void;
  #measured: number;
  /** Taken, and perhaps not contained in `measured`. */
  #unmeasured = 0;
  /** Taken, and perhaps not contained in the measurement that is under way. */
  #carried = 0;
  /** Taken since the last measurement began. */
  #sincePoll = 0;
  /** Taken and not settled. */
  #inFlight = 0;
  #reserve: 'absent' | 'creating' | 'held' = 'absent';
  #timer: TimerHandle | null = null;
  /** The next look comes soon, since somebody was refused. */
  #isSoon = false;
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
    this.#measured = found.free;
    if (found.reserveHeld || options.reserveBytes === 0) this.#reserve = 'held';
    this.#onPoll = onPoll;
    this.#onFailure = onFailure;
  }

  get free(): number {
    return Math.max(0, this.#left - (this.#reserve === 'absent' ? this.#options.reserveBytes : 0));
  }

  /** With what would be the reserve, where it is not held. */
  get #left(): number {
    return this.#measured - this.#unmeasured;
  }

  take(bytes: number): void {
    this.#inFlight += bytes;
    this.#unmeasured += bytes;
    if (this.#polling) this.#carried += bytes;
    this.#sincePoll += bytes;
    if (this.#sincePoll >= this.#options.freePollBytes) this.#poll();
    else this.schedule();
  }

  settle(bytes: number): void {
    this.#inFlight -= bytes;
  }

  /** Something was written: look at free space after a while. An idle server is not woken for it. */
  schedule(): void {
    if (this.#timer === null) this.#pollAfter(this.#options.freePollInterval);
  }

  refused(): void {
    if (this.#isSoon) return;
    this.#stopTimer();
    this.#isSoon = true;
    this.#pollAfter(this.#options.freePollInterval * SOON);
  }

  /** What to do before writing `bytes` that take free space: gives up the reserve when there is too little. */
  makeRoomFor(bytes: number): readonly DiskOperation[] {
    return bytes > this.#left ? this.giveUpReserve() : [];
  }

  /** The operations that free the reserve; none if it is not held. */
  giveUpReserve(): readonly DiskOperation[] {
    const { reserveBytes } = this.#options;
    if (this.#reserve !== 'held' || reserveBytes === 0) return [];
    this.#reserve = 'absent';
    this.#measured += reserveBytes;
    this.schedule();
    return [{ op: 'remove', path: RESERVE_PATH }];
  }

  stop(): void {
    this.#stopped = true;
    this.#stopTimer();
  }

  #pollAfter(delay: number): void {
    if (this.#polling || this.#stopped) return;
    this.#timer = this.#timers.set(Math.round(delay), () => {
      this.#timer = null;
      this.#poll();
    });
  }

  #poll(): void {
    if (this.#polling || this.#stopped) return;
    this.#stopTimer();
    this.#polling = true;
    this.#carried = this.#inFlight;
    this.#sincePoll = 0;
    this.#disk.free((error, free) => {
      this.#polling = false;
      this.#isSoon = false;
      if (this.#stopped) return;
      if (error !== null) return this.#onFailure(error);
      this.#measured = free;
      this.#unmeasured = this.#carried;
      this.#holdReserve();
      this.#onPoll();
      if (this.#reserve !== 'held' || this.free < this.#options.segmentBytes) this.schedule();
    });
  }

  #stopTimer(): void {
    if (this.#timer !== null) this.#timers.clear(this.#timer);
    this.#timer = null;
  }

  /** Not before the first look at free space: a server that lives shortly need not write it. Twice its size must be free, so that taking it does not itself fill the disk. */
  #holdReserve(): void {
    const { reserveBytes } = this.#options;
    if (this.#reserve !== 'absent' || this.#left < 2 * reserveBytes) return;
    this.#reserve = 'creating';
    this.take(reserveBytes);
    this.#disk.submit(
      [
        { op: 'allocate', path: RESERVE_PATH, length: reserveBytes },
        { op: 'sync', path: RESERVE_PATH },
        { op: 'syncDirectory', path: '' },
      ],
      (error) => {
        this.settle(reserveBytes);
        this.#reserve = error === null ? 'held' : 'absent';
        if (error === null || isNoSpace(error)) return this.schedule();
        this.#onFailure(error);
      },
    );
  }
}
