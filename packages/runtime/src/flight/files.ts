/** The recording's files: a ring of bounded size in the data directory. Writes in the background and never waits for it. */
import type { DiskError, DiskOperation, Environment } from '../environment.ts';
import { list, runSteps, size, type Step, type Steps, submit } from '../steps.ts';
import { FLIGHT_DIRECTORY, flightPath, flightSequence } from './format.ts';

/** Files of servers that restart again and again are small: their number is bounded as well. */
const maxFiles = 64;
/** Free space that a recording leaves alone: the log needs it more. */
const minFreeBytes = 256 << 20;

interface File {
  readonly sequence: number;
  bytes: number;
}

export class FlightFiles {
  readonly #disk: Environment['disk'];
  readonly #maxBytes: number;
  readonly #onProblem: (what: string) => void;
  readonly #files: File[] = [];
  #lastSequence = 0;
  #pendingBytes = 0;
  #isWriting = false;
  #waiting: DiskOperation[] = [];

  /** `onProblem` is called when a write fails or space runs short; nothing more should be written then. */
  constructor(disk: Environment['disk'], maxBytes: number, onProblem: (what: string) => void) {
    this.#disk = disk;
    this.#maxBytes = maxBytes;
    this.#onProblem = onProblem;
  }

  /** At this size a file is full: two of them, and what one input may add, stay within the ring. */
  get fileBytes(): number {
    return Math.floor((this.#maxBytes * 2) / 5);
  }

  /** Bytes handed over that are not written yet. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /** Bytes of the newest file, those under way included. */
  get currentBytes(): number {
    return this.#files[this.#files.length - 1]?.bytes ?? 0;
  }

  get nextSequence(): number {
    return this.#lastSequence + 1;
  }

  /** Looks at what earlier lives left. The data directory must be held. */
  open(done: () => void): void {
    runSteps(this.#survey(), (error) => {
      if (error === null) done();
      else this.#onProblem(error.message);
    });
  }

  *#survey(): Steps<void> {
    const { background } = this.#disk;
    yield* submit(background, [{ op: 'makeDirectory', path: FLIGHT_DIRECTORY }]);
    for (const name of yield* list(background, FLIGHT_DIRECTORY)) {
      const sequence = flightSequence(name);
      if (sequence === null) continue;
      this.#files.push({ sequence, bytes: yield* size(background, `${FLIGHT_DIRECTORY}/${name}`) });
      this.#lastSequence = Math.max(this.#lastSequence, sequence);
    }
    this.#files.sort((a, b) => a.sequence - b.sequence);
    const measure: Step = (resume) => background.free(resume);
    this.#checkSpace((yield measure) as number);
  }

  /** Begins the next file with its first bytes; the oldest go, as far as the ring is full. */
  begin(bytes: Uint8Array): void {
    const removals = this.#makeRoom();
    this.#lastSequence += 1;
    this.#files.push({ sequence: this.#lastSequence, bytes: 0 });
    if (removals.length > 0) this.#submit(removals, 0);
    this.append(bytes);
    this.#disk.background.free((error, free) => {
      if (error === null) this.#checkSpace(free);
      else this.#onProblem(describe(error));
    });
  }

  /** Adds to the newest file. The bytes belong to the disk from here on. */
  append(bytes: Uint8Array): void {
    const current = this.#files[this.#files.length - 1];
    if (current === undefined) throw new Error('Nothing was begun to append to.');
    // The disk may take the buffer away at once.
    const { length } = bytes;
    this.#submit([{ op: 'write', path: flightPath(current.sequence), offset: current.bytes, bytes }], length);
    current.bytes += length;
  }

  /** The disk is about to be closed: what waits is handed over now, behind what is under way. */
  finish(): void {
    this.#isWriting = false;
    this.#writeNext();
  }

  #makeRoom(): readonly DiskOperation[] {
    const removals: DiskOperation[] = [];
    let kept = this.#files.reduce((sum, file) => sum + file.bytes, 0);
    for (;;) {
      const isFull = kept > this.#maxBytes - this.fileBytes || this.#files.length >= maxFiles;
      const oldest = isFull ? this.#files.shift() : undefined;
      if (oldest === undefined) return removals;
      kept -= oldest.bytes;
      removals.push({ op: 'remove', path: flightPath(oldest.sequence) });
    }
  }

  #submit(operations: readonly DiskOperation[], bytes: number): void {
    this.#pendingBytes += bytes;
    this.#waiting.push(...operations);
    this.#writeNext();
  }

  /** One submission at a time: what arises meanwhile is the next. */
  #writeNext(): void {
    if (this.#isWriting || this.#waiting.length === 0) return;
    const operations = this.#waiting;
    const bytes = this.#pendingBytes;
    this.#waiting = [];
    this.#isWriting = true;
    this.#disk.background.submit(operations, (error) => {
      this.#isWriting = false;
      this.#pendingBytes -= bytes;
      if (error === null) this.#writeNext();
      else this.#onProblem(describe(error));
    });
  }

  #checkSpace(free: number): void {
    if (free >= minFreeBytes) return;
    this.#onProblem(
      `only ${Math.floor(free / 2 ** 20)} MiB are free on the volume, and ${minFreeBytes >>> 20} MiB stay untouched`,
    );
  }
}

function describe({ code, message, path }: DiskError): string {
  return `${path}: ${code}: ${message}`;
}
