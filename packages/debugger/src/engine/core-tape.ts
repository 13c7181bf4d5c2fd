/** A recording of cores. They are kept at some steps, and made again from there. */
import type { Message, Output } from '@quorate/raft';
import type { CoreServer } from '@quorate/sim';
import { Flights } from './flights.ts';
import type { Happening } from './happening.ts';
import { type HistoryView, noHistory } from './history.ts';
import { happeningOf, rawState } from './inspect.ts';
import { marksOf } from './marks.ts';
import { withShortNames } from './names.ts';
import { OriginIndex } from './origins.ts';
import type { BranchMark, Source, ViolationView } from './protocol.ts';
import { acknowledgedBy, changesOf, isRoutine, runsOf } from './recorder.ts';
import { RecordedCores } from './recorded-cores.ts';
import { historyAt } from './recorded-history.ts';
import type { Forking, RecordedEvent, Recording } from './recording.ts';
import { logWindows, serverViews } from './server-view.ts';
import type { SeenMessage, StepRecord } from './step-record.ts';
import type { Tape } from './tape.ts';
import type { CutView, LogWindow, MessageView, ServerView } from './views.ts';
import { inputWords } from './words.ts';

/** Cores are kept at every so many steps. */
const keepEvery = 500;

export class CoreTape implements Tape {
  readonly records: StepRecord[] = [];
  readonly marks: BranchMark[] = [];
  readonly #recording: Recording;
  readonly #flights = new Flights();
  readonly #kept: { readonly step: number; readonly cores: RecordedCores }[] = [];
  /** Which links are cut from a step on. */
  readonly #cuts: { readonly step: number; readonly cuts: readonly CutView[] }[] = [];
  #cores = new RecordedCores();
  #step = 0;
  #happened: Happening | null = null;

  constructor(recording: Recording) {
    this.#recording = recording;
    const origins = new OriginIndex();
    const cores = new RecordedCores();
    recording.events.forEach((event, at) => {
      if (at >= this.#keepFrom() && cores.isWhole) this.#kept.push({ step: at, cores: cores.copy() });
      const before = coreOf(cores, event);
      const outputs = cores.follow(event);
      const record = this.#recordOf(event, at + 1, outputs, before, coreOf(cores, event), origins);
      origins.add(record);
      this.records.push(record);
      this.marks.push(...marksOf(record));
      this.#noteCut(event, at + 1);
    });
    const { violation } = this;
    if (violation !== null)
      this.marks.push({ step: violation.step, kind: 'violation', text: `${violation.invariant} is broken` });
  }

  get source(): Source {
    return this.#recording.source;
  }

  get title(): string {
    return this.#recording.title;
  }

  get unjudged(): string | null {
    return this.#recording.unjudged;
  }

  get remark(): string | null {
    return this.#recording.remark;
  }

  get forking(): Forking | string {
    return this.#recording.forking;
  }

  get violation(): ViolationView | null {
    const { violation } = this.#recording;
    return violation === null ? null : { ...violation, step: this.records.length };
  }

  /** The step from which on cores are to be kept again. */
  #keepFrom(): number {
    const last = this.#kept[this.#kept.length - 1];
    return last === undefined ? 0 : last.step + keepEvery;
  }

  #noteCut(event: RecordedEvent, step: number): void {
    if (event.kind !== 'fault') return;
    const { fault, cut } = event;
    if (cut !== null) this.#cuts.push({ step, cuts: [...this.#cutsAt(step), cut] });
    else if (fault === 'heal' || fault === 'calm') this.#cuts.push({ step, cuts: [] });
  }

  #cutsAt(step: number): readonly CutView[] {
    return this.#cuts.findLast((change) => change.step <= step)?.cuts ?? [];
  }

  #recordOf(
    event: RecordedEvent,
    step: number,
    outputs: readonly Output[],
    before: CoreServer | null,
    after: CoreServer | null,
    origins: OriginIndex,
  ): StepRecord {
    const { server, at } = event;
    const message = event.kind === 'input' && event.input.kind === 'message' ? event.input.message : null;
    const arrived = message === null ? null : this.#flights.arrived(message, step, at);
    const sent = outputs.flatMap((output) =>
      output.send.map((outgoing) => this.#flights.sent(outgoing.message, step, at)),
    );
    const changes = changesOf(before, after);
    const timer = event.kind === 'input' && event.input.kind === 'timeout' ? event.input.name : null;
    return {
      step,
      at,
      kind: kindOf(event),
      server,
      title: withShortNames(titleOf(event, message)),
      isRoutine: event.kind === 'input' && isRoutine(message, timer, changes),
      message: arrived?.seen ?? null,
      isLost: false,
      sent,
      causes: causesOf(server === null ? null : origins.lastOf(server), arrived),
      changes,
      appended: outputs.flatMap(({ persist }) => runsOf(persist?.entries ?? [])),
      acknowledged: acknowledgedBy(message),
    };
  }

  goTo(step: number): void {
    const before = Math.max(0, step - 1);
    if (this.#step > before) {
      const kept = this.#kept.findLast(({ step: at }) => at <= before);
      this.#cores = kept?.cores.copy() ?? new RecordedCores();
      this.#step = kept?.step ?? 0;
      this.#happened = null;
    }
    while (this.#step < step) this.#forward(this.#step === step - 1);
  }

  #forward(isLooking: boolean): void {
    const event = this.#recording.events[this.#step];
    const record = this.records[this.#step];
    if (event === undefined || record === undefined) return;
    this.#step += 1;
    const before = isLooking ? coreOf(this.#cores, event) : null;
    const outputs = this.#cores.follow(event);
    if (!isLooking) return;
    const { step, title, server } = record;
    const inputs = event.kind === 'input' ? [event.input] : [];
    const after = coreOf(this.#cores, event);
    this.#happened = happeningOf({ step, title, server, inputs, outputs, before, after });
  }

  get #now(): number {
    return this.records[this.#step - 1]?.at ?? 0;
  }

  views(): readonly ServerView[] {
    return serverViews(this.#outlined, ({ id }) => this.#cores.lease(id)).map((view) => ({
      ...view,
      timers: this.#cores.timers(view.id),
    }));
  }

  messages(): readonly MessageView[] {
    return this.#flights.at(this.#step, this.#now);
  }

  cuts(): readonly CutView[] {
    return this.#cutsAt(this.#step);
  }

  happened(): Happening | null {
    return this.#step === 0 ? null : this.#happened;
  }

  history(): HistoryView {
    const { history } = this.#recording;
    if (typeof history === 'string') return noHistory(history);
    return historyAt(history, this.records.slice(0, this.#step), this.#now);
  }

  get #outlined(): readonly CoreServer[] {
    return this.#recording.servers.flatMap((id) => this.#cores.outlined(id) ?? []);
  }

  /** Those that have started, in order. */
  get servers(): readonly CoreServer[] {
    return this.#recording.servers.flatMap((id) => this.#cores.server(id) ?? []);
  }

  logs(from: number, to: number): readonly LogWindow[] {
    return logWindows(this.#outlined, from, to);
  }

  raw(server: string): string {
    const found = this.#cores.server(server);
    if (found === null) throw new RangeError(`${server} has not started yet.`);
    return rawState(found);
  }
}

function coreOf(cores: RecordedCores, { server }: RecordedEvent): CoreServer | null {
  return server === null ? null : cores.server(server);
}

/** The kinds of steps that worlds have, as far as there is one. */
function kindOf(event: RecordedEvent): string {
  if (event.kind === 'start') return 'restart';
  if (event.kind === 'stop') return 'crash';
  if (event.kind === 'fault') return event.fault === 'calm' ? 'heal' : event.fault;
  const kinds: Readonly<Record<string, string>> = { message: 'deliver', persisted: 'persist', applied: 'apply' };
  return kinds[event.input.kind] ?? event.input.kind;
}

function titleOf(event: RecordedEvent, message: Message | null): string {
  if (event.kind === 'start') return `${event.server} starts`;
  if (event.kind === 'stop') return `${event.server} ${event.reason}`;
  if (event.kind === 'fault') return event.title;
  if (message !== null) return `${message.kind} ${message.from}→${message.to} arrives`;
  return `${event.server}: ${inputWords(event.input)}`;
}

function causesOf(
  last: number | null,
  arrived: { readonly seen: SeenMessage; readonly sentStep: number | null } | null,
): readonly number[] {
  const causes = [last, arrived?.sentStep ?? null].filter((cause) => cause !== null);
  return [...new Set(causes)];
}
