import {
  type AnswerCodec,
  type CommittedCommand,
  continueApply,
  type DurableSessionMachine,
  type SessionAnswer,
  type SessionMachine,
  type SessionRecord,
  type SessionWrite,
  type SnapshotSink,
  type SnapshotSource,
  withSessions,
} from '@quorate/runtime';
import { type CounterResult, Journal } from './counter.ts';

const text = {
  encode: (it: string) => new TextEncoder().encode(it),
  decode: (it: Uint8Array) => new TextDecoder().decode(it),
};

export const counterAnswers: AnswerCodec<CounterResult> = {
  encode: (result) => text.encode(JSON.stringify(result)),
  decode: (bytes) => JSON.parse(text.decode(bytes)) as CounterResult,
};

/** What survives the process of a `Ledger`: changed by whole transactions, a call each. */
export interface LedgerFile {
  applied: number;
  commands: string[];
  sessions: Map<string, Uint8Array>;
}

export function emptyLedgerFile(): LedgerFile {
  return { applied: 0, commands: [], sessions: new Map() };
}

/** A Journal that is durable in itself. */
export class Ledger implements DurableSessionMachine<CounterResult> {
  readonly kind = 'durable';
  readonly file: LedgerFile;
  /** Called between the pieces of each command that takes two calls. */
  #half: CommittedCommand | null = null;
  /** Commands that begin so take two calls. */
  readonly slow: string;

  constructor(file: LedgerFile, slow = '~') {
    this.file = file;
    this.slow = slow;
  }

  appliedIndex(): number {
    return this.file.applied;
  }

  readSessions(): Iterable<SessionRecord> {
    return [...this.file.sessions].map(([key, value]) => ({ key, value }));
  }

  applyWithSessions(
    command: CommittedCommand,
    record: (result: CounterResult) => readonly SessionWrite[],
  ): CounterResult | typeof continueApply {
    const said = text.decode(command.data);
    if (said.startsWith(this.slow) && this.#half?.index !== command.index) {
      this.#half = command;
      return continueApply;
    }
    const result = { index: command.index, sum: this.file.commands.length + 1 };
    this.writeSessions(command.index, record(result));
    this.file.commands.push(said);
    return result;
  }

  writeSessions(index: number, writes: readonly SessionWrite[]): void {
    for (const { key, value } of writes) {
      if (value === null) this.file.sessions.delete(key);
      else this.file.sessions.set(key, value);
    }
    this.file.applied = index;
  }

  openSnapshot(): SnapshotSource {
    const slices = [text.encode(JSON.stringify(this.file.commands))];
    return { next: () => slices.shift() ?? null, close: () => undefined };
  }

  beginRestoreWithSessions(records: readonly SessionRecord[]): SnapshotSink {
    let commands: string[] = [];
    return {
      write: (slice) => {
        commands = JSON.parse(text.decode(slice)) as string[];
      },
      finish: (applied) => {
        const sessions = new Map(records.map(({ key, value }) => [key, value]));
        Object.assign(this.file, { applied, commands, sessions });
      },
      abort: () => undefined,
    };
  }
}

/** A replica as the loop drives it: commands by index, snapshots, restarts. */
export interface Replica {
  readonly machine: SessionMachine<CounterResult>;
  commands(): readonly string[];
}

export function memoryReplica(journal = new Journal()): Replica {
  return { machine: withSessions(journal, { answers: counterAnswers }), commands: () => journal.commands };
}

export function durableReplica(file = emptyLedgerFile()): Replica {
  return { machine: withSessions(new Ledger(file), { answers: counterAnswers }), commands: () => file.commands };
}

/** Applies a command to its end. */
export function applyAt({ machine }: Replica, index: number, data: Uint8Array): SessionAnswer<CounterResult> {
  for (;;) {
    const answer = machine.apply({ index, term: 1, data });
    if (answer !== continueApply) return answer;
  }
}

export function slicesOf(source: SnapshotSource): readonly Uint8Array[] {
  const slices: Uint8Array[] = [];
  for (let slice = source.next(); slice !== null; slice = source.next()) slices.push(slice);
  source.close();
  return slices;
}

export function restore({ machine }: Replica, slices: readonly Uint8Array[], index: number): void {
  const sink = machine.beginRestore();
  // The reader's bytes are its own: they may be gone after the call.
  for (const slice of slices) {
    const lent = slice.slice();
    sink.write(lent);
    lent.fill(0xaa);
  }
  sink.finish(index);
}
