import type { Input } from './input.ts';
import type { RaftOptions } from './options.ts';
import type { Output } from './output.ts';
import type { RecoveredState } from './recovered.ts';
import type {
  Configuration,
  Entry,
  HardState,
  Index,
  MemberId,
  Micros,
  Role,
  SnapshotMetadata,
  Term,
} from './types.ts';

/** What a server looks like from outside, for status pages, metrics and tests. A fresh, plain object. */
export interface RaftStatus {
  readonly id: MemberId;
  readonly role: Role;
  readonly term: Term;
  readonly vote: MemberId | null;
  readonly leader: MemberId | null;
  readonly commitIndex: Index;
  readonly appliedIndex: Index;
  readonly lastIndex: Index;
  readonly durableIndex: Index;
  readonly baseIndex: Index;
  readonly snapshot: SnapshotMetadata;
  readonly configuration: Configuration;
  /** This incarnation is not the one that the cluster counts on: it neither votes nor campaigns. */
  readonly foreignIncarnation: boolean;
  /** On a leader, every other member's progress; otherwise empty. */
  readonly followers: readonly FollowerStatus[];
}

export interface FollowerStatus {
  readonly id: MemberId;
  readonly state: 'probe' | 'replicate' | 'snapshot';
  readonly matchIndex: Index;
  readonly nextIndex: Index;
  readonly inflightMessages: number;
  readonly inflightBytes: number;
  /** When an answer last came from it (the clock of `now`); null if none in this term. */
  readonly lastContact: Micros | null;
}

/**
 * One server's Raft, as a pure state machine: a function of its state and the input handed to it.
 *
 * Step any number of inputs, then take the output and carry it out (see output.ts for the order). The constructor's own
 * output (timers, applies) waits for the first `takeOutput`.
 */
export class Raft {
  constructor(options: RaftOptions, recovered: RecoveredState) {
    throw new Error(`${options.id} ${recovered.lastIndex}`);
  }

  /** Handles one input. Throws only when one of the core's own invariants is broken; the server must stop then. */
  step(input: Input): void {
    throw new Error(input.kind);
  }

  /** What is to be done because of all inputs since the last call. Empty fields are null or empty arrays. */
  takeOutput(): Output {
    throw new Error();
  }

  /**
   * Committed or appended entries from `from` on that memory holds, contiguous, to at most `to` and `maxBytes` (at least one
   * if `from` itself is held). Empty if it is not: ask storage.
   */
  entries(from: Index, to: Index, maxBytes: number): readonly Entry[] {
    throw new Error(`${from} ${to} ${maxBytes}`);
  }

  /** The term of the entry at `index`, or null if it is compacted away or beyond the log. */
  termAt(index: Index): Term | null {
    throw new Error(String(index));
  }

  get role(): Role {
    throw new Error();
  }
  get term(): Term {
    throw new Error();
  }
  get leader(): MemberId | null {
    throw new Error();
  }
  get commitIndex(): Index {
    throw new Error();
  }
  get lastIndex(): Index {
    throw new Error();
  }
  get hardState(): HardState {
    throw new Error();
  }
  /** The configuration in force: the newest in the log, committed or not. */
  get configuration(): Configuration {
    throw new Error();
  }
  /** The configuration in force at `index` (for a snapshot there): the newest defined at or before it. */
  configurationAt(index: Index): Configuration {
    throw new Error(String(index));
  }

  status(): RaftStatus {
    throw new Error();
  }
}
