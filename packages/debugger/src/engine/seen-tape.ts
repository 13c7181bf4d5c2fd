/** A run of a Raft in the lab, as it was seen from outside: whose it is does not matter, and what goes on inside is not known. */
import { readSeenRun, type DecodedTrace, type SeenEvent, type SeenRun } from '@quorate/sim';
import { FlightList } from './flights.ts';
import type { DiffLine, Happening, OutputLine } from './happening.ts';
import type { HistoryView } from './history.ts';
import { marksOf } from './marks.ts';
import { OriginIndex } from './origins.ts';
import type { SeenServer } from './predicates.ts';
import type { BranchMark, ViolationView } from './protocol.ts';
import { historyAt, type RecordedHistory } from './recorded-history.ts';
import { seenHistory } from './seen-history.ts';
import { type KnownServer, SeenServers } from './seen-servers.ts';
import { conflictIn, type SeenStep, stepsOf } from './seen-steps.ts';
import { SeenWords } from './seen-words.ts';
import type { SeenMessage, StepChanges, StepRecord } from './step-record.ts';
import type { Tape } from './tape.ts';
import type { CutView, LogWindow, MessageView, ServerView } from './views.ts';

/** What is known of the servers is kept at every so many steps. */
const keepEvery = 500;

/** Throws TraceError for what is no such run. */
export function openSeen({ header, records }: DecodedTrace): SeenTape {
  return new SeenTape(readSeenRun(header, records));
}

export class SeenTape implements Tape {
  readonly records: StepRecord[] = [];
  readonly marks: BranchMark[] = [];
  readonly source = 'lab';
  readonly forking =
    'A run of a Raft in the lab can be looked at, and cannot go another way: what its code would do then, only its code knows.';
  readonly unjudged =
    'The invariants of docs/invariants.md are asked of our own core. What a Raft in the lab must do, its test says.';
  readonly #run: SeenRun;
  readonly #steps: readonly SeenStep[];
  readonly #flights = new FlightList();
  readonly #calls = new Map<number, SeenMessage>();
  readonly #answers = new Map<number, SeenMessage>();
  readonly #words = new SeenWords(this.#calls, this.#answers);
  readonly #arrivals = new Map<number, (step: number, at: number) => void>();
  readonly #history: RecordedHistory;
  readonly #kept: { readonly step: number; readonly servers: SeenServers }[] = [];
  #servers: SeenServers;
  #step = 0;

  constructor(run: SeenRun) {
    this.#run = run;
    this.#steps = stepsOf(run);
    this.#servers = new SeenServers(run.servers);
    this.#history = seenHistory(run);
    const origins = new OriginIndex();
    const servers = new SeenServers(run.servers);
    this.#steps.forEach((step, at) => {
      if (at % keepEvery === 0) this.#kept.push({ step: at, servers: servers.copy() });
      const record = this.#recordOf(step, at + 1, servers, origins);
      origins.add(record);
      this.records.push(record);
      // Servers and links as the test begins with them are no events.
      if (step.at > 0) this.marks.push(...marksOf(record));
    });
    const { violation } = this;
    if (violation !== null) this.marks.push({ step: violation.step, kind: 'violation', text: 'the test fails' });
  }

  get title(): string {
    return this.#run.title;
  }

  get remark(): string | null {
    const { left, remark } = this.#run;
    return left === 0 ? remark : `This is the end of a longer run: ${left} events before it were not kept.`;
  }

  get violation(): ViolationView | null {
    const { failure, finding, events, title } = this.#run;
    if (failure === null) return null;
    const conflict = conflictIn(this.#steps);
    if (conflict !== null) return { ...conflict, invariant: 'test', sentence: finding?.rule ?? title };
    if (finding !== null) {
      const { rule, first, second } = finding;
      // Behind the last step of the way stands that the test fails.
      return { step: Math.max(1, this.#steps.length - 1), invariant: 'test', sentence: rule, first, second };
    }
    const wanted = events.findLast(({ event }) => event.kind === 'step')?.event;
    const first = wanted?.kind === 'step' ? `the test ${wanted.text}` : 'the test goes on';
    return { step: this.#steps.length, invariant: 'test', sentence: title, first, second: failure };
  }

  #recordOf(step: SeenStep, number: number, servers: SeenServers, origins: OriginIndex): StepRecord {
    const { at, server, events } = step;
    const [main] = events;
    const cutsBefore = servers.cuts.length;
    const before = server === null ? null : servers.server(server);
    for (const record of events) servers.follow(record);
    const after = server === null ? null : servers.server(server);
    if (main?.event.kind === 'lost') for (const call of main.event.calls) this.#isOver(this.#lastOf(call), number, at);
    const message = main === undefined ? null : this.#arrived(main.event, number, at);
    const sent = server === null ? [] : events.flatMap(({ event }) => this.#sent(event, server, number, at, after));
    const changes = changesOf(before, after);
    const isLost = main?.event.kind === 'unanswered';
    const sentIn = message === null ? null : origins.sentIn(message.id);
    const isRhythm = isRoutine(step, changes);
    if (!isRhythm && sentIn !== null) this.#unfold(sentIn);
    const causes = [server === null ? null : origins.lastOf(server), sentIn].filter((cause) => cause !== null);
    return {
      step: number,
      at,
      kind: main === undefined ? 'step' : kindOf(main.event, servers.cuts.length > cutsBefore),
      server,
      title: this.#words.titleOf(step),
      isRoutine: isRhythm,
      message,
      isLost,
      sent,
      causes: [...new Set(causes)],
      changes,
      appended: events.flatMap(({ event }) => {
        if (event.kind === 'propose' && event.isLeader) {
          return [{ from: event.index, to: event.index, term: event.term }];
        }
        return [];
      }),
      acknowledged: null,
    };
  }

  /** What came of a step is news, so that it was sent is no rhythm. */
  #unfold(step: number): void {
    const record = this.records[step - 1];
    if (record !== undefined) this.records[step - 1] = { ...record, isRoutine: false };
  }

  /** The message that this begins with. An unanswered call is the loss of the answer if there was one, else of the call. */
  #arrived(event: SeenEvent, step: number, at: number): SeenMessage | null {
    if (!('call' in event)) return null;
    const { kind, call } = event;
    if (kind === 'call' || kind === 'answer') return null;
    const ofKind = kind === 'called' ? this.#calls : this.#answers;
    const message = kind === 'unanswered' ? this.#lastOf(call) : (ofKind.get(call) ?? null);
    this.#isOver(message, step, at);
    return message;
  }

  /** What is on its way of a call: the answer, once there is one. */
  #lastOf(call: number): SeenMessage | null {
    return this.#answers.get(call) ?? this.#calls.get(call) ?? null;
  }

  #isOver(message: SeenMessage | null, step: number, at: number): void {
    if (message !== null) this.#arrivals.get(message.id)?.(step, at);
  }

  #sent(
    event: SeenEvent,
    server: string,
    step: number,
    at: number,
    sender: KnownServer | null,
  ): readonly SeenMessage[] {
    if (event.kind === 'call') {
      const { call, to, method, term, text } = event;
      const own = term === 0 ? (sender?.term ?? 0) : term;
      const message = { id: 2 * call, from: server, to, kind: method, term: own, summary: text };
      this.#calls.set(call, message);
      return [this.#leaves(message, step, at)];
    }
    const asked = event.kind === 'answer' ? this.#calls.get(event.call) : undefined;
    if (event.kind !== 'answer' || asked === undefined) return [];
    const { call, term, text } = event;
    const own = term === 0 ? (sender?.term ?? 0) : term;
    const message = {
      id: 2 * call + 1,
      from: server,
      to: asked.from,
      kind: `${asked.kind}Reply`,
      term: own,
      summary: text,
    };
    this.#answers.set(call, message);
    return [this.#leaves(message, step, at)];
  }

  #leaves(message: SeenMessage, step: number, at: number): SeenMessage {
    const flight = this.#flights.add(message, step, at);
    this.#arrivals.set(message.id, (arrivedStep, arrivedAt) => {
      flight.arrivedStep = arrivedStep;
      flight.arrivedAt = arrivedAt;
    });
    return message;
  }

  goTo(step: number): void {
    if (step < this.#step) {
      const kept = this.#kept.findLast(({ step: at }) => at <= step);
      this.#servers = kept?.servers.copy() ?? new SeenServers(this.#run.servers);
      this.#step = kept?.step ?? 0;
    }
    for (; this.#step < step; this.#step++) {
      for (const record of this.#steps[this.#step]?.events ?? []) this.#servers.follow(record);
    }
  }

  get #now(): number {
    return this.records[this.#step - 1]?.at ?? 0;
  }

  views(): readonly ServerView[] {
    return this.#servers.views();
  }

  messages(): readonly MessageView[] {
    return this.#flights.at(this.#step, this.#now);
  }

  cuts(): readonly CutView[] {
    return this.#servers.cuts;
  }

  happened(): Happening | null {
    const step = this.#steps[this.#step - 1];
    const record = this.records[this.#step - 1];
    if (step === undefined || record === undefined) return null;
    const { server, events } = step;
    const [main, ...others] = events;
    const told = main === undefined || consequenceKinds[main.event.kind] !== undefined ? events : others;
    return {
      step: record.step,
      title: record.title,
      server,
      inputs:
        record.message === null
          ? []
          : [`${record.message.kind} from ${record.message.from}: ${record.message.summary}`],
      outputs: told.flatMap(({ event }): readonly OutputLine[] => {
        const kind = consequenceKinds[event.kind];
        return kind === undefined ? [] : [{ kind, text: this.#words.of(server ?? '', event) }];
      }),
      diff: diffOf(record.changes),
    };
  }

  history(): HistoryView {
    return historyAt(this.#history, this.records.slice(0, this.#step), this.#now);
  }

  get servers(): readonly SeenServer[] {
    return this.#servers.seen;
  }

  logs(from: number, to: number): readonly LogWindow[] {
    return this.#servers.logs(from, to);
  }

  raw(server: string): string {
    return JSON.stringify({ ...this.#servers.server(server), entries: this.#servers.entries(server) }, null, 2);
  }
}

const consequenceKinds: Partial<Readonly<Record<SeenEvent['kind'], OutputLine['kind']>>> = {
  call: 'send',
  answer: 'send',
  save: 'persist',
  apply: 'apply',
  restore: 'restore',
  state: 'event',
};

/** The kinds of steps that worlds have, as far as there is one. */
function kindOf(event: SeenEvent, isCutting: boolean): string {
  if (event.kind === 'links') return isCutting ? 'cut' : 'heal';
  const kinds: Partial<Readonly<Record<SeenEvent['kind'], string>>> = {
    start: 'restart',
    called: 'deliver',
    answered: 'deliver',
    unanswered: 'drop',
    timer: 'timeout',
    save: 'persist',
  };
  return kinds[event.kind] ?? event.kind;
}

/** Rhythm: nothing came of it but that others were called or answered; or a command came to somebody who does not lead. */
function isRoutine({ events }: SeenStep, changes: StepChanges): boolean {
  if (Object.values(changes).some((change) => change !== null)) return false;
  const rhythm: ReadonlySet<SeenEvent['kind']> = new Set(['call', 'called', 'answer', 'answered', 'propose']);
  return events.every(({ event }) => rhythm.has(event.kind) && !(event.kind === 'propose' && event.isLeader));
}

function changesOf(before: KnownServer | null, after: KnownServer | null): StepChanges {
  const none = { vote: null, last: null, truncatedTo: null, durable: null };
  if (before === null || after === null) return { ...none, role: null, term: null, commit: null, applied: null };
  const applied = after.applied > before.applied ? after.applied : null;
  return {
    ...none,
    role: after.isLeader === before.isLeader ? null : after.isLeader ? 'leader' : 'follower',
    term: after.term === before.term ? null : after.term,
    commit: applied,
    applied,
  };
}

function diffOf({ role, term, applied }: StepChanges): readonly DiffLine[] {
  const lines = { role, term, applied };
  return Object.entries(lines).flatMap(([field, value]) =>
    value === null ? [] : [{ field, before: '', after: String(value) }],
  );
}
