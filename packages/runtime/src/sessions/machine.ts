/** A state machine that applies each command of a session exactly once (dissertation §6.3). */
import type { Index } from '@quorate/raft';
import {
  type CommittedCommand,
  continueApply,
  type SnapshotSink,
  type SnapshotSource,
  type StateMachine,
} from '../state-machine.ts';
import type { AnswerCodec, SessionAnswer, SessionRefusal } from './answer.ts';
import { type DurableSessionMachine, type InnerMachine, innerOf } from './inner.ts';
import { openEnvelope, type SessionCommand } from './envelope.ts';
import { SessionSnapshotSink, SessionSnapshotSource } from './snapshot.ts';
import { SessionTable } from './table.ts';

export interface SessionMachineOptions<Result> {
  /** How answers are kept. */
  readonly answers: AnswerCodec<Result>;
}

/** What a state machine with sessions says of them. */
export interface SessionMachine<Result> extends StateMachine<SessionAnswer<Result>> {
  /** Sessions that are open here, and the bytes of answers kept for them as `SessionLimits.maxKeptBytes` counts them. */
  sessionStatus(): { readonly sessions: number; readonly keptBytes: number };
}

/**
 * Wraps any state machine: commands sent by `openSession` are applied once, however often they are sent. Give the result to
 * `RaftNode.open`, on all servers of the cluster and from its first command on; the wrapped machine sees its own commands only.
 *
 * `node.propose` still takes plain commands, at most once each, and resolves with a `SessionAnswer`.
 *
 * @throws RaftError StateMachineFailed if a durable machine has kept records that this version cannot read.
 */
export function withSessions<Result>(
  machine: (StateMachine<Result> & { readonly kind: 'memory' }) | DurableSessionMachine<Result>,
  options: SessionMachineOptions<Result>,
): SessionMachine<Result> {
  return new WrappedMachine(innerOf(machine), options.answers);
}

class WrappedMachine<Result> implements SessionMachine<Result> {
  readonly kind: 'memory' | 'durable';
  readonly #inner: InnerMachine<Result>;
  readonly #answers: AnswerCodec<Result>;
  #table: SessionTable;

  constructor(inner: InnerMachine<Result>, answers: AnswerCodec<Result>) {
    this.kind = inner.kind;
    this.#inner = inner;
    this.#answers = answers;
    this.#table = SessionTable.fromRecords(inner.readSessions(), this.#isRecorded);
  }

  sessionStatus(): { readonly sessions: number; readonly keptBytes: number } {
    return { sessions: this.#table.count, keptBytes: this.#table.keptBytes };
  }

  appliedIndex(): Index {
    return this.#inner.appliedIndex();
  }

  apply(command: CommittedCommand): SessionAnswer<Result> | typeof continueApply {
    const envelope = openEnvelope(command.data);
    switch (envelope.kind) {
      case 'command':
        return this.#applyOnce(command, envelope);
      case 'outside':
        return this.#applyInner(command, envelope.data, () => undefined);
      case 'open':
        return this.#settle(command.index, { kind: 'opened', session: this.#table.open(envelope, command.index) });
      case 'close':
        this.#table.close(envelope.session);
        return this.#settle(command.index, { kind: 'closed' });
      case 'malformed':
        return this.#settle(command.index, refused('malformed'));
    }
  }

  openSnapshot(): SnapshotSource {
    const inner = this.#inner.openSnapshot();
    return new SessionSnapshotSource(this.#table.pin(), inner);
  }

  beginRestore(): SnapshotSink {
    let table: SessionTable | null = null;
    return new SessionSnapshotSink(
      (records) => {
        table = SessionTable.fromRecords(records, this.#isRecorded);
        return this.#inner.beginRestore(records);
      },
      () => {
        if (table !== null) this.#table = table;
      },
    );
  }

  get #isRecorded(): boolean {
    return this.kind === 'durable';
  }

  /** The table changes with the last call for a command, never between two: a snapshot taken there holds all of it or nothing. */
  #applyOnce(command: CommittedCommand, envelope: SessionCommand): SessionAnswer<Result> | typeof continueApply {
    const verdict = this.#table.judge(envelope);
    if (verdict.kind === 'apply') {
      return this.#applyInner(command, envelope.data, (result) => {
        this.#table.record(envelope, command.index, this.#answers.encode(result));
      });
    }
    if (verdict.kind === 'refuse' && verdict.reason === 'expired')
      return this.#settle(command.index, refused('expired'));
    this.#table.record(envelope, command.index, null);
    if (verdict.kind === 'refuse') return this.#settle(command.index, refused(verdict.reason));
    const result = this.#answers.decode(verdict.answer);
    return this.#settle(command.index, { kind: 'applied', result, isRepeated: true });
  }

  #applyInner(
    { index, term }: CommittedCommand,
    data: Uint8Array,
    record: (result: Result) => void,
  ): SessionAnswer<Result> | typeof continueApply {
    const result = this.#inner.apply({ index, term, data }, (each) => {
      record(each);
      return this.#table.takeWrites();
    });
    return result === continueApply ? continueApply : { kind: 'applied', result, isRepeated: false };
  }

  /** The command leaves the inner machine as it is. */
  #settle(index: Index, answer: SessionAnswer<Result>): SessionAnswer<Result> {
    this.#inner.skip(index, this.#table.takeWrites());
    return answer;
  }
}

function refused(reason: SessionRefusal): { readonly kind: 'refused'; readonly reason: SessionRefusal } {
  return { kind: 'refused', reason };
}
