/**
 * Re-executes recordings: every server's core, from its checkpoint through its inputs. What the core says must be what was recorded,
 * output by output, and where a later checkpoint stands it must have arrived at that very state.
 */
import { Raft, type RaftState } from '@quorate/raft';
import { fingerprintOutput } from '@quorate/runtime';
import { canonicalState, firstDifference, firstMissing } from './compare.ts';
import type { ServerRecord } from './recording.ts';
import { TraceError } from './trace.ts';

/** Where a build goes another way than the one that recorded. */
export interface Parting {
  readonly server: string;
  readonly life: string;
  /** The input after which it shows. */
  readonly number: number;
  readonly what: string;
}

export interface ServerReplay {
  readonly server: string;
  /** Stretches without a gap: one for each start of the server, or more after gaps. */
  readonly stretches: number;
  readonly inputs: number;
  /** Outputs that were the same as recorded. */
  readonly outputs: number;
  /** Checkpoints that the core arrived at. */
  readonly checkpoints: number;
  /** Where it stands at the end. */
  readonly end: {
    readonly role: string;
    readonly term: number;
    readonly lastIndex: number;
    readonly commitIndex: number;
  };
  readonly state: Readonly<RaftState>;
}

export interface ReplayResult {
  readonly servers: readonly ServerReplay[];
  /** Null: everything went as recorded. */
  readonly parting: Parting | null;
}

/** Stops at the first parting. Throws TraceError when the records of a server do not follow one another. */
export function replay(records: Iterable<ServerRecord>): ReplayResult {
  const cores = new Map<string, CoreReplay>();
  let parting: Parting | null = null;
  for (const record of records) {
    let core = cores.get(record.server);
    if (core === undefined) {
      core = new CoreReplay(record.server);
      cores.set(record.server, core);
    }
    const what = core.follow(record);
    if (what === null) continue;
    parting = { server: record.server, life: record.life, number: record.number, what };
    break;
  }
  return { servers: [...cores.values()].map((core) => core.result()), parting };
}

class CoreReplay {
  readonly #server: string;
  #raft: Raft | null = null;
  #life = '';
  #number = 0;
  #stretches = 0;
  #inputs = 0;
  #outputs = 0;
  #checkpoints = 0;

  constructor(server: string) {
    this.#server = server;
  }

  /** Takes one record; says what is not as it was recorded, or null. */
  follow(record: ServerRecord): string | null {
    if (record.kind === 'checkpoint') return this.#arrive(record) ?? this.#compare(record.outputs);
    const expected = this.#number + 1;
    if (this.#raft === null || record.life !== this.#life || record.number !== expected) {
      throw new TraceError(
        'NotReplayable',
        `Server ${this.#server}: input ${record.number} of life ${record.life} follows neither a checkpoint nor the input before it.`,
      );
    }
    this.#number = expected;
    this.#inputs += 1;
    try {
      this.#raft.step(record.input);
    } catch (error) {
      return `the core breaks over this input (${record.input.kind}): ${error instanceof Error ? error.message : String(error)}`;
    }
    return this.#compare(record.outputs);
  }

  #arrive(record: Extract<ServerRecord, { kind: 'checkpoint' }>): string | null {
    const state = canonicalState(record.state);
    if (this.#raft !== null && record.life === this.#life && record.number === this.#number) {
      this.#checkpoints += 1;
      const difference = firstDifference(state, canonicalState(this.#raft.state));
      return difference === null ? null : `the state is not the recorded one: ${difference}`;
    }
    this.#stretches += 1;
    this.#life = record.life;
    this.#number = record.number;
    this.#raft = resume(record);
    return null;
  }

  #compare(outputs: readonly number[]): string | null {
    for (const recorded of outputs) {
      const raft = this.#raft;
      if (raft === null) return null;
      let fingerprint: number;
      try {
        fingerprint = fingerprintOutput(raft.takeOutput(), raft);
      } catch (error) {
        return `the core breaks over its output: ${error instanceof Error ? error.message : String(error)}`;
      }
      if (fingerprint !== recorded) {
        return `it says something else than was recorded (fingerprint ${hex(fingerprint)}, recorded ${hex(recorded)})`;
      }
      this.#outputs += 1;
    }
    return null;
  }

  result(): ServerReplay {
    const raft = this.#raft;
    if (raft === null) throw new TraceError('NotReplayable', `Server ${this.#server} has no checkpoint to begin from.`);
    const { role, term, lastIndex, commitIndex } = raft;
    return {
      server: this.#server,
      stretches: this.#stretches,
      inputs: this.#inputs,
      outputs: this.#outputs,
      checkpoints: this.#checkpoints,
      end: { role, term, lastIndex, commitIndex },
      state: raft.state,
    };
  }
}

function resume({ server, options, state, codeVersion }: Extract<ServerRecord, { kind: 'checkpoint' }>): Raft {
  const missing = firstMissing(state);
  if (missing !== null) {
    throw new TraceError(
      'NotReplayable',
      `Server ${server}: its checkpoint, made by build ${codeVersion}, does not fit this build's core: ${missing}.`,
    );
  }
  try {
    // A copy: the core takes its state over, and the record may be looked at again.
    return Raft.fromState(options, canonicalState(state));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new TraceError('NotReplayable', `Server ${server}: its checkpoint cannot be resumed: ${reason}`, 0, {
      cause: error,
    });
  }
}

function hex(value: number): string {
  return value.toString(16).padStart(8, '0');
}
