/**
 * The flight recorder: writes down what enters a server's core, so that the same core, elsewhere and later, goes the same way again.
 * It is a guest on the loop: it waits for nothing, and whatever goes wrong with it ends the recording and nothing else.
 */
import type { Entry, Input, Message, Output } from '@quorate/raft';
import { beginFrame, endFrame } from '../codec/frame.ts';
import { ByteWriter } from '../codec/byte-writer.ts';
import { writeEntries } from '../codec/entries-codec.ts';
import { writePlain } from '../codec/plain.ts';
import type { CoreLife, CoreWatcher } from '../core-watcher.ts';
import { drawHex16 } from '../draw.ts';
import type { Environment, TimerHandle } from '../environment.ts';
import { describe } from '../errors.ts';
import { FlightFiles } from './files.ts';
import { fingerprintMessage, fingerprintOutput } from './fingerprint.ts';
import { type ClockAnchor, frameKinds, type FlightHeader, MAGIC, recordKinds, withoutCache } from './format.ts';
import { InputEncoder } from './input-codec.ts';
import { redactEntry, redactInput, redactState } from './redact.ts';

export interface FlightRecorderOptions {
  readonly environment: Pick<Environment, 'clock' | 'timers' | 'random' | 'disk' | 'logger'>;
  /** Whose server this is: stands in the header. */
  readonly cluster: string;
  readonly codeVersion: string;
  readonly createdBy: string;
  /** The ring's size on disk. */
  readonly maxBytes: number;
  /** Commands are recorded as zeros of equal length, with a checksum. */
  readonly redactValues: boolean;
}

/** What a ring must hold at least: two files, each with all that a core's cache may hold. Bytes. */
export const minFlightBytes = 64 << 20;

/** Records leave for the disk when so much of them has gathered, … */
const flushBytes = 64 << 10;
/** … or this long after the first of them: what a killed process can lose of its recording. Microseconds. */
const flushInterval = 50_000;
/** Records on their way to a slow disk; beyond it there is a gap, and a new checkpoint after it. */
const maxPendingBytes = 16 << 20;
/** Of a checkpoint's payloads this much is written with each output: the loop is not held up for the whole. */
const cacheSliceBytes = 128 << 10;
/** What an entry takes besides its payload, roughly: very many empty ones are a slice, too. Bytes. */
const entryCost = 16;

export class FlightRecorder implements CoreWatcher {
  readonly #options: FlightRecorderOptions;
  readonly #files: FlightFiles;
  readonly #inputs = new InputEncoder();
  readonly #writer = new ByteWriter(2 * flushBytes);
  readonly #peers = new Map<string, number>();
  #life: CoreLife | null = null;
  #lifeName = '';
  /**
   * - `opening`: the directory is looked at.
   * - `waiting`: for an output, since that is where a core's state is all that there is to know; and for a small enough cache.
   * - `recording`
   * - `stopped`: for good.
   */
  #state: 'opening' | 'waiting' | 'recording' | 'stopped' = 'opening';
  #inputCount = 0;
  #frameStart: number | null = null;
  #timer: TimerHandle | null = null;
  /** What the checkpoint of the current file still lacks. */
  #cache: readonly Entry[] = [];
  #cacheAt = 0;
  #hasComplained = false;

  constructor(options: FlightRecorderOptions) {
    this.#options = options;
    this.#files = new FlightFiles(options.environment.disk, options.maxBytes, (what) => this.#stop(what));
  }

  onStart(life: CoreLife): void {
    this.#life = life;
    this.#lifeName = drawHex16(this.#options.environment.random);
    this.#files.open(() => {
      if (this.#state === 'opening') this.#state = 'waiting';
    });
  }

  /** Before the core handles it: an input that breaks the core is the one that matters. */
  onStep(input: Input): void {
    this.#inputCount += 1;
    if (this.#state !== 'recording') return;
    this.#guard(() => {
      this.#begin(recordKinds.input);
      this.#inputs.write(this.#writer, this.#options.redactValues ? redactInput(input) : input);
      this.#flushWhenLarge();
    });
  }

  onInput(): void {
    // `onStep` has it.
  }

  onOutput(output: Output): void {
    const life = this.#life;
    if (life === null || this.#state === 'opening' || this.#state === 'stopped') return;
    this.#guard(() => {
      if (this.#state === 'recording') {
        this.#begin(recordKinds.output);
        this.#writer.u32(fingerprintOutput(output, life.raft));
        this.#continueCheckpoint();
        this.#checkPace();
      }
      const isFull = this.#files.currentBytes >= this.#files.fileBytes && !this.#isCheckpointOpen;
      if (this.#state === 'waiting' || isFull) this.#beginFile(life);
      this.#flushWhenLarge();
    });
  }

  onSend(message: Message): void {
    if (this.#state !== 'recording') return;
    this.#guard(() => {
      this.#begin(recordKinds.sent);
      this.#writePeer(message.to);
      this.#writer.u32(fingerprintMessage(message));
    });
  }

  /** The core has come to its end: what was recorded of it goes to the disk. */
  onStop(): void {
    if (this.#state === 'recording') {
      this.#guard(() => {
        this.#flush();
        this.#files.finish();
      });
    }
    this.#state = 'stopped';
    this.#clearTimer();
  }

  // ------------------------------------------------------------------------------------------------------------- files

  /** A new file with the present state in front. Called right after an output was taken and carried out by nobody yet. */
  #beginFile({ options, raft }: CoreLife): void {
    const { log } = raft.state;
    if (log.cacheBytes > this.#files.fileBytes) {
      this.#complain(
        'the log in memory is larger than half of --flight-recorder-bytes: recording waits until it is not',
      );
      return;
    }
    this.#flush();
    const { environment } = this.#options;
    const anchor = { wallTime: environment.clock.wallTime(), now: environment.clock.now() };
    this.#files.begin(this.#header(options, anchor));
    this.#inputs.reset();
    this.#peers.clear();
    this.#state = 'recording';
    this.#cache = log.cache.slice(log.cacheHead);
    this.#cacheAt = 0;
    this.#begin(recordKinds.checkpoint);
    const cached = { first: log.cacheFirst, count: this.#cache.length };
    const bare = withoutCache(raft.state);
    const state = this.#options.redactValues ? redactState(bare) : bare;
    writePlain(this.#writer, { options, state, cached, anchor });
    this.#continueCheckpoint();
  }

  #header(options: CoreLife['options'], anchor: ClockAnchor): Uint8Array {
    const { cluster, codeVersion, createdBy, redactValues } = this.#options;
    const header: FlightHeader = {
      codeVersion,
      createdBy,
      cluster,
      group: options.group,
      member: options.id,
      incarnation: options.incarnation,
      life: this.#lifeName,
      sequence: this.#files.nextSequence,
      firstInput: this.#inputCount,
      redacted: redactValues,
      anchor,
    };
    const writer = new ByteWriter(1024);
    writer.raw(MAGIC);
    const start = beginFrame(writer, frameKinds.header);
    writePlain(writer, header);
    endFrame(writer, start);
    return writer.copy();
  }

  /** Entries never change: those of the checkpoint's moment may be written later, between the records of what came after. */
  #continueCheckpoint(): void {
    if (!this.#isCheckpointOpen) return;
    const first = this.#cacheAt;
    for (let bytes = 0; this.#isCheckpointOpen && bytes < cacheSliceBytes; this.#cacheAt += 1) {
      bytes += (this.#cache[this.#cacheAt]?.data.length ?? 0) + entryCost;
    }
    const run = this.#cache.slice(first, this.#cacheAt);
    if (!this.#isCheckpointOpen) this.#dropCache();
    this.#begin(recordKinds.cache);
    writeEntries(this.#writer, this.#options.redactValues ? run.map(redactEntry) : run);
  }

  get #isCheckpointOpen(): boolean {
    return this.#cacheAt < this.#cache.length;
  }

  #dropCache(): void {
    this.#cache = [];
    this.#cacheAt = 0;
  }

  // ----------------------------------------------------------------------------------------------------------- records

  #begin(kind: number): void {
    if (this.#frameStart === null) {
      this.#frameStart = beginFrame(this.#writer, frameKinds.records);
      this.#timer ??= this.#options.environment.timers.set(flushInterval, () => {
        this.#timer = null;
        if (this.#state === 'recording') this.#guard(() => this.#flush());
      });
    }
    this.#writer.u8(kind);
  }

  /** A number, or 0 and the name, which gets the next one. */
  #writePeer(peer: string): void {
    const known = this.#peers.get(peer) ?? 0;
    this.#writer.varint(known);
    if (known > 0) return;
    this.#peers.set(peer, this.#peers.size + 1);
    this.#writer.string(peer);
  }

  #flushWhenLarge(): void {
    if (this.#writer.length >= flushBytes) this.#flush();
  }

  #flush(): void {
    if (this.#frameStart === null) return;
    endFrame(this.#writer, this.#frameStart);
    this.#files.append(this.#writer.copy());
    this.#forget();
  }

  #forget(): void {
    this.#frameStart = null;
    this.#writer.trim(4 * flushBytes);
    this.#clearTimer();
  }

  #clearTimer(): void {
    if (this.#timer !== null) this.#options.environment.timers.clear(this.#timer);
    this.#timer = null;
  }

  /** A disk that does not keep up makes a gap, never a queue without end. */
  #checkPace(): void {
    if (this.#files.pendingBytes <= maxPendingBytes) return;
    this.#complain('the disk does not keep up with the flight recorder: what it could not take is missing');
    this.#forget();
    this.#dropCache();
    this.#state = 'opening';
    this.#whenWritten();
  }

  #whenWritten(): void {
    this.#options.environment.timers.set(flushInterval, () => {
      if (this.#state !== 'opening') return;
      if (this.#files.pendingBytes === 0) this.#state = 'waiting';
      else this.#whenWritten();
    });
  }

  // ----------------------------------------------------------------------------------------------------------- trouble

  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#stop(describe(error));
    }
  }

  #stop(what: string): void {
    if (this.#state === 'stopped') return;
    this.#state = 'stopped';
    this.#clearTimer();
    this.#dropCache();
    const message = `the flight recorder has stopped, the server goes on without it: ${what}`;
    this.#options.environment.logger.log('error', message);
  }

  #complain(what: string): void {
    if (this.#hasComplained) return;
    this.#hasComplained = true;
    this.#options.environment.logger.log('warn', what);
  }
}
