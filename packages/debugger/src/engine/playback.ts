/**
 * A recording that a person walks about in. It cannot go another way: what disks and networks would have done with another decision is not
 * recorded. Cores are kept at some steps, and made again from there.
 */
import type { Message, Output } from '@quorate/raft';
import type { CoreServer } from '@quorate/sim';
import { Flights } from './flights.ts';
import type { Happening } from './happening.ts';
import { happeningOf, rawState } from './inspect.ts';
import { marksOf } from './marks.ts';
import { withShortNames } from './names.ts';
import { OriginIndex } from './origins.ts';
import type { BranchMark, Frame, Position, ViolationView } from './protocol.ts';
import { acknowledgedBy, changesOf, isRoutine, runsOf } from './recorder.ts';
import { RecordedCores } from './recorded-cores.ts';
import type { RecordedEvent, Recording } from './recording.ts';
import { logWindows, serverViews } from './server-view.ts';
import type { SeenMessage, StepRecord } from './step-record.ts';
import type { LogWindow, ServerView } from './views.ts';
import type { Walk } from './walk.ts';
import { inputWords } from './words.ts';

/** Cores are kept at every so many steps. */
const keepEvery = 500;

export class Playback implements Walk {
  readonly #recording: Recording;
  readonly #records: StepRecord[] = [];
  readonly #marks: BranchMark[] = [];
  readonly #flights = new Flights();
  readonly #kept: { readonly step: number; readonly cores: RecordedCores }[] = [];
  #cores = new RecordedCores();
  #step = 0;
  #happened: Happening | null = null;
  #told = 0;

  constructor(recording: Recording) {
    this.#recording = recording;
    const origins = new OriginIndex();
    const cores = new RecordedCores();
    recording.events.forEach((event, at) => {
      if (at >= this.#keepFrom() && cores.isWhole) this.#kept.push({ step: at, cores: cores.copy() });
      const before = cores.server(event.server);
      const outputs = cores.follow(event);
      const record = this.#recordOf(event, at + 1, outputs, before, cores.server(event.server), origins);
      origins.add(record);
      this.#records.push(record);
      this.#marks.push(...marksOf(record));
    });
    const { violation } = this;
    if (violation !== null)
      this.#marks.push({ step: violation.step, kind: 'violation', text: `${violation.invariant} is broken` });
    this.seek({ branch: 0, step: 0 });
  }

  /** The step from which on cores are to be kept again. */
  #keepFrom(): number {
    const last = this.#kept[this.#kept.length - 1];
    return last === undefined ? 0 : last.step + keepEvery;
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
      isRoutine: isRoutine(message, timer, changes),
      message: arrived?.seen ?? null,
      isLost: false,
      sent,
      causes: causesOf(origins.lastOf(server), arrived),
      changes,
      appended: outputs.flatMap(({ persist }) => runsOf(persist?.entries ?? [])),
      acknowledged: acknowledgedBy(message),
    };
  }

  get position(): Position {
    return { branch: 0, step: this.#step };
  }

  get violation(): ViolationView | null {
    const { violation } = this.#recording;
    return violation === null ? null : { ...violation, step: this.#records.length };
  }

  records(): readonly StepRecord[] {
    return this.#records;
  }

  seek({ step }: Position): void {
    if (!(Number.isInteger(step) && step >= 0 && step <= this.#records.length)) {
      throw new RangeError(`The recording has ${this.#records.length} steps; there is no moment ${step}.`);
    }
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
    const record = this.#records[this.#step];
    if (event === undefined || record === undefined) return;
    this.#step += 1;
    const before = isLooking ? this.#cores.server(event.server) : null;
    const outputs = this.#cores.follow(event);
    if (!isLooking) return;
    const { step, title, server } = record;
    const inputs = event.kind === 'input' ? [event.input] : [];
    this.#happened = happeningOf({
      step,
      title,
      server,
      inputs,
      outputs,
      before,
      after: this.#cores.server(event.server),
    });
  }

  step(by: number): void {
    this.seek({ branch: 0, step: Math.max(0, Math.min(this.#records.length, this.#step + by)) });
  }

  playTo(at: number, most: number): void {
    let step = this.#step;
    if (at < this.#now) while (step > 0 && (this.#records[step - 1]?.at ?? 0) > at) step -= 1;
    else
      while (step < this.#records.length && step - this.#step < most && (this.#records[step]?.at ?? 0) <= at) step += 1;
    if (step !== this.#step) this.seek({ branch: 0, step });
  }

  act(): void {
    throw new Error('This is a recording: it can be looked at, and cannot go another way.');
  }

  get #now(): number {
    return this.#step === 0 ? 0 : (this.#records[this.#step - 1]?.at ?? 0);
  }

  frame(): Frame {
    const { title, remark, isJudged } = this.#recording;
    const news = this.#told === 0 ? [{ branch: 0, from: 0, records: this.#records }] : [];
    this.#told = this.#records.length;
    return {
      title,
      position: this.position,
      now: this.#now,
      nextAt: this.#records[this.#step]?.at ?? null,
      isAtEnd: this.#step === this.#records.length,
      isRecording: true,
      isJudged,
      servers: this.#views(),
      messages: this.#flights.at(this.#step, this.#now),
      cuts: [],
      pending: [],
      happened: this.#step === 0 ? null : this.#happened,
      branches: [
        {
          id: 0,
          parent: null,
          forkAt: 0,
          length: this.#records.length,
          name: 'recording',
          violation: this.violation,
          consequence: null,
          marks: this.#marks,
        },
      ],
      news,
      remark,
    };
  }

  #views(): readonly ServerView[] {
    const views = serverViews(this.servers);
    return views.map((view) => ({ ...view, timers: this.#cores.timers(view.id) }));
  }

  /** Those that have started, in order. */
  get servers(): readonly CoreServer[] {
    return this.#recording.servers.flatMap((id) => this.#cores.server(id) ?? []);
  }

  logs(from: number, to: number): readonly LogWindow[] {
    return logWindows(this.servers, from, to);
  }

  raw(server: string): string {
    const found = this.#cores.server(server);
    if (found === null) throw new RangeError(`${server} has not started yet.`);
    return rawState(found);
  }
}

/** The kinds of steps that worlds have, as far as there is one. */
function kindOf(event: RecordedEvent): string {
  if (event.kind === 'start') return 'restart';
  if (event.kind === 'stop') return 'crash';
  const kinds: Readonly<Record<string, string>> = { message: 'deliver', persisted: 'persist', applied: 'apply' };
  return kinds[event.input.kind] ?? event.input.kind;
}

function titleOf(event: RecordedEvent, message: Message | null): string {
  if (event.kind === 'start') return `${event.server} starts`;
  if (event.kind === 'stop') return `${event.server} ${event.reason}`;
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
