/**
 * The end of a recording, for those who cannot hold all of it: the cores are led to where it begins, and stand there as checkpoints. What
 * is cut off is replayed, not compared (replay.ts).
 */
import { Raft } from '@quorate/raft';
import { copyState } from '../core-world/copy-state.ts';
import type { ServerRecord } from './recording.ts';
import { TraceError, type CheckpointRecord } from './trace.ts';

/** At least the last `most` records, at most twice as many, or all if there are no more. Throws TraceError where records do not follow. */
export function latestRecords(records: Iterable<ServerRecord>, most: number): readonly ServerRecord[] {
  const before = new Map<string, LedCore>();
  let kept: ServerRecord[] = [];
  for (const record of records) {
    kept.push(record);
    if (kept.length >= 2 * most) kept = kept.slice(lead(before, kept, most));
  }
  return [...[...before.values()].map((core) => core.checkpoint()), ...kept];
}

/** Leads the cores through the first `count` records, and on to where each has said all that it had to. Returns how many that were. */
function lead(cores: Map<string, LedCore>, records: readonly ServerRecord[], count: number): number {
  let at = 0;
  for (const record of records) {
    if (at >= count && [...cores.values()].every(({ isWhole }) => isWhole)) break;
    const core = cores.get(record.server);
    if (record.kind === 'input') core?.follow(record);
    else if (core?.life !== record.life) cores.set(record.server, new LedCore(record));
    at += 1;
  }
  return at;
}

class LedCore {
  /** What it said is no part of its state: it can only be resumed where all of that was taken. */
  isWhole = true;
  readonly #start: CheckpointRecord;
  readonly #raft: Raft;
  #number: number;
  #now: number;

  constructor(start: CheckpointRecord) {
    this.#start = start;
    this.#raft = Raft.fromState(start.options, copyState(start.state));
    this.#number = start.number;
    this.#now = start.anchor.now;
    this.#take(start.outputs.length);
  }

  get life(): string {
    return this.#start.life;
  }

  follow({ server, number, input, outputs }: Extract<ServerRecord, { kind: 'input' }>): void {
    if (number !== this.#number + 1) {
      throw new TraceError('NotReplayable', `Server ${server}: input ${number} follows input ${this.#number}.`);
    }
    this.#number = number;
    this.#now = input.now;
    this.#raft.step(input);
    this.isWhole = false;
    this.#take(outputs.length);
  }

  #take(outputs: number): void {
    for (let taken = 0; taken < outputs; taken++) this.#raft.takeOutput();
    if (outputs > 0) this.isWhole = true;
  }

  checkpoint(): CheckpointRecord {
    const { anchor } = this.#start;
    const elapsed = this.#now - anchor.now;
    return {
      ...this.#start,
      number: this.#number,
      anchor: { wallTime: anchor.wallTime + Math.floor(elapsed / 1000), now: this.#now },
      state: copyState(this.#raft.state),
      outputs: [],
      sent: [],
    };
  }
}
