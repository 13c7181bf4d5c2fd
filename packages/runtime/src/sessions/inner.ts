/** The state machine inside: the two kinds behind one face. */
import type { Index } from '@quorate/raft';
import { RaftError } from '../errors.ts';
import {
  type CommittedCommand,
  continueApply,
  type SnapshotSink,
  type SnapshotSource,
  type StateMachine,
} from '../state-machine.ts';
import type { SessionRecord, SessionWrite } from './records.ts';

/**
 * A state machine that keeps its own state on disk, and the sessions with it: what has been applied and what is known to have been
 * applied must become durable together, or a crash between the two would apply a command twice or never. Records are bytes under
 * short keys of ASCII characters; a table of their own in its database will do.
 */
export interface DurableSessionMachine<Result> {
  readonly kind: 'durable';
  /** As in StateMachine. Counts commands that came to `writeSessions`, too. */
  appliedIndex(): Index;
  /** All records, in any order. Read once, by `withSessions`. */
  readSessions(): Iterable<SessionRecord>;
  /**
   * As StateMachine.apply. When the command is done, call `record` with its result, exactly once, and store what it returns in the same
   * transaction as the command's effect and the applied index. Do not call it before a `continueApply`.
   */
  applyWithSessions(
    command: CommittedCommand,
    record: (result: Result) => readonly SessionWrite[],
  ): Result | typeof continueApply;
  /** A command that concerns the sessions alone: store `writes` and the applied index in one transaction. */
  writeSessions(index: Index, writes: readonly SessionWrite[]): void;
  /** As StateMachine.openSnapshot, without the records of the sessions. */
  openSnapshot(): SnapshotSource;
  /** As StateMachine.beginRestore; `finish` replaces all records of the sessions by `records`, in the same transaction. */
  beginRestoreWithSessions(records: readonly SessionRecord[]): SnapshotSink;
}

/** What the wrapper needs of either kind. */
export interface InnerMachine<Result> {
  readonly kind: 'memory' | 'durable';
  appliedIndex(): Index;
  readSessions(): Iterable<SessionRecord>;
  apply(command: CommittedCommand, record: (result: Result) => readonly SessionWrite[]): Result | typeof continueApply;
  skip(index: Index, writes: readonly SessionWrite[]): void;
  openSnapshot(): SnapshotSource;
  beginRestore(records: readonly SessionRecord[]): SnapshotSink;
}

export function innerOf<Result>(
  machine: (StateMachine<Result> & { readonly kind: 'memory' }) | DurableSessionMachine<Result>,
): InnerMachine<Result> {
  return machine.kind === 'memory' ? new InMemory(machine) : new Durable(machine);
}

/** Its sessions live in memory as it does, and come back with its snapshot. */
class InMemory<Result> implements InnerMachine<Result> {
  readonly kind = 'memory';
  readonly #machine: StateMachine<Result>;

  constructor(machine: StateMachine<Result>) {
    this.#machine = machine;
  }

  appliedIndex(): Index {
    return this.#machine.appliedIndex();
  }

  readSessions(): Iterable<SessionRecord> {
    return [];
  }

  apply(command: CommittedCommand, record: (result: Result) => unknown): Result | typeof continueApply {
    const result = this.#machine.apply(command);
    if (result !== continueApply) record(result);
    return result;
  }

  skip(): void {
    // Which index a machine in memory has applied is asked after a restore only, and that says it.
  }

  openSnapshot(): SnapshotSource {
    return this.#machine.openSnapshot();
  }

  beginRestore(): SnapshotSink {
    return this.#machine.beginRestore();
  }
}

class Durable<Result> implements InnerMachine<Result> {
  readonly kind = 'durable';
  readonly #machine: DurableSessionMachine<Result>;

  constructor(machine: DurableSessionMachine<Result>) {
    this.#machine = machine;
  }

  appliedIndex(): Index {
    return this.#machine.appliedIndex();
  }

  readSessions(): Iterable<SessionRecord> {
    return this.#machine.readSessions();
  }

  apply(command: CommittedCommand, record: (result: Result) => readonly SessionWrite[]): Result | typeof continueApply {
    let calls = 0;
    const result = this.#machine.applyWithSessions(command, (each) => {
      calls++;
      return record(each);
    });
    // An answer that was not stored would be given by one server and lost by another.
    if (calls === (result === continueApply ? 0 : 1)) return result;
    throw new RaftError(
      'StateMachineFailed',
      `The state machine called 'record' ${calls} times for the command at index ${command.index}. It must do so once, when the ` +
        'command is done.',
    );
  }

  skip(index: Index, writes: readonly SessionWrite[]): void {
    this.#machine.writeSessions(index, writes);
  }

  openSnapshot(): SnapshotSource {
    return this.#machine.openSnapshot();
  }

  beginRestore(records: readonly SessionRecord[]): SnapshotSink {
    return this.#machine.beginRestoreWithSessions(records);
  }
}
