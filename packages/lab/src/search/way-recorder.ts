/**
 * Writes down a way that a search found, step by step while it is walked again: what is seen of each step from outside. What the debugger
 * shows of it is made of this. A search knows no time: its steps stand a millisecond apart.
 */
import type { SeenEvent, SeenRecord } from '@quorate/sim';
import { termOf, unwrapped } from '../record/calls.ts';
import { describePlain } from '../record/describe.ts';
import { nameOf } from '../record/recorder.ts';
import type { LabAction } from './action.ts';
import { callerOf, type LabFlight, type LabMessage } from './message.ts';
import { codeOf } from './plain-code.ts';
import type { SearchedServer } from './server.ts';
import type { LabStep } from './step.ts';
import { tellEvent } from './tell.ts';
import type { Turned } from './turn.ts';
import type { LabView } from './view.ts';

/** Microseconds. */
const STEP = 1_000;

/** A call that has arrived, and whose answer has not left. */
interface Arrived {
  readonly call: number;
  readonly message: LabMessage;
}

export class WayRecorder {
  readonly events: SeenRecord[] = [];
  readonly #view: LabView;
  #at = 0;
  #flights: readonly LabFlight[] = [];
  /** Of messages, answers as well: the number of the call. */
  readonly #calls = new Map<number, number>();
  #arrived: Arrived[] = [];

  /** All servers have just begun. */
  constructor(view: LabView) {
    this.#view = view;
    for (const { id, status, term, isLeader } of view.servers) {
      if (status !== 'up') continue;
      this.#push(id, { kind: 'start' });
      this.#push(id, { kind: 'state', term, isLeader });
    }
    this.#departures(null);
  }

  /** The step is done. `before`: the servers as they were. */
  note(step: LabStep, before: readonly SearchedServer[]): void {
    const { turned } = step;
    this.#at += STEP;
    const gone = this.#gone(step);
    const { action } = step;
    if (action.kind === 'crash') this.#arrived = this.#arrived.filter(({ message }) => !isOf(message, action.server));
    for (const { server, event } of this.#eventsOf(step, gone)) this.#push(server, event);
    const departed = this.#departures(step);
    if (turned === null) return;
    const { id } = turned.server;
    for (const event of departed) this.#push(id, event);
    for (const event of this.#effects(turned, before[id], action)) this.#push(id, event);
  }

  #push(server: number | null, event: SeenEvent): void {
    this.events.push({ kind: 'seen', at: this.#at, server: server === null ? null : nameOf(server), event });
  }

  /** What is in flight no more, and neither arrived nor failed. */
  #gone({ action }: LabStep): readonly number[] {
    const acted = 'message' in action ? action.message : null;
    const left = new Set(this.#view.flights.map(({ id }) => id));
    const gone = this.#flights.filter(({ id }) => id !== acted && !left.has(id));
    return gone.map(({ id }) => this.#callOf(id));
  }

  #callOf(message: number): number {
    return this.#calls.get(message) ?? message;
  }

  /** What happened, without what came of it; where messages are lost with it, that is an event of its own. */
  #eventsOf(step: LabStep, gone: readonly number[]): readonly { server: number | null; event: SeenEvent }[] {
    const main = this.#mainOf(step);
    if (step.action.kind === 'lose') {
      return [{ server: null, event: { kind: 'lost', calls: gone, text: tellEvent(step) } }];
    }
    if (gone.length === 0) return [main];
    const text = step.action.kind === 'crash' ? 'nobody waits for its answers any more' : 'what was in flight is lost';
    return [main, { server: null, event: { kind: 'lost', calls: gone, text } }];
  }

  #mainOf(step: LabStep): { server: number | null; event: SeenEvent } {
    const { action, message } = step;
    switch (action.kind) {
      case 'deliver':
      case 'fail':
        if (message === null) break;
        return this.#arrival(action, message);
      case 'timeout':
        if (action.timer === 'clock' || action.timer === 'idle') break;
        return { server: action.server, event: { kind: 'timer', name: action.timer } };
      case 'start': {
        const { index, term, isLeader } = step.turned?.started ?? { index: 0, term: 0, isLeader: false };
        const text = describePlain(step.command);
        return { server: action.server, event: { kind: 'propose', text, index, term, isLeader } };
      }
      case 'crash':
        return { server: action.server, event: { kind: 'crash' } };
      case 'restart':
        return { server: action.server, event: { kind: 'start' } };
      case 'partition':
        return { server: null, event: { kind: 'links', cut: cutsOf(action.sides), text: tellEvent(step) } };
      default:
        break;
    }
    const stage = action.kind === 'restage' ? 'stage: ' : '';
    const event: SeenEvent = { kind: 'step', text: `${stage}${tellEvent(step)}` };
    return { server: 'server' in action ? action.server : null, event };
  }

  #arrival(
    action: Extract<LabAction, { kind: 'deliver' | 'fail' }>,
    message: LabMessage,
  ): { server: number; event: SeenEvent } {
    const call = this.#callOf(action.message);
    if (action.kind === 'fail') return { server: callerOf(message), event: { kind: 'unanswered', call } };
    if (message.kind === 'answer') return { server: message.to, event: { kind: 'answered', call } };
    if (message.isAwaited) this.#arrived.push({ call, message });
    return { server: message.to, event: { kind: 'called', call } };
  }

  /** Calls and answers that have left since. `step`: null at the beginning, where each server may have called somebody. */
  #departures(step: LabStep | null): readonly SeenEvent[] {
    const known = new Set(this.#flights.map(({ id }) => id));
    // The list itself goes on changing.
    this.#flights = [...this.#view.flights];
    const events: SeenEvent[] = [];
    for (const { id, message } of this.#flights) {
      if (known.has(id)) continue;
      const event = message.kind === 'call' ? this.#called(id, message) : this.#answered(id, message);
      if (step?.turned === null || step === null) this.#push(message.from, event);
      else events.push(event);
    }
    return events;
  }

  #called(id: number, message: LabMessage): SeenEvent {
    this.#calls.set(id, id);
    const { method, args } = unwrapped(message.method, message.args);
    const to = nameOf(message.to);
    return { kind: 'call', call: id, to, method, term: termOf(args), text: describePlain(args) };
  }

  /** Of several calls that say the same the first is answered first. */
  #answered(id: number, { from, to, method, args, answer }: LabMessage): SeenEvent {
    const asked = this.#arrived.find(
      ({ message }) =>
        message.from === to &&
        message.to === from &&
        message.method === method &&
        codeOf(message.args) === codeOf(args),
    );
    this.#arrived = this.#arrived.filter((each) => each !== asked);
    const call = asked?.call ?? id;
    this.#calls.set(id, call);
    return { kind: 'answer', call, term: termOf(answer), text: describePlain(answer) };
  }

  #effects(
    { server, hasSaved, applied }: Turned<SearchedServer>,
    before: SearchedServer | undefined,
    action: LabAction,
  ): readonly SeenEvent[] {
    const { id, term, isLeader } = server;
    const hasStarted = action.kind === 'restart';
    const events: SeenEvent[] = [];
    if (hasSaved) events.push({ kind: 'save', ...this.#view.savedSize(id) });
    // What its service begins with stands in the snapshot that it saved.
    const [first] = applied;
    const begun = first === undefined ? server.applied : first.kind === 'command' ? first.index - 1 : 0;
    if (hasStarted && begun > 0) events.push({ kind: 'restore', index: begun });
    for (const message of applied) {
      const { index } = message;
      if (message.kind === 'snapshot') events.push({ kind: 'restore', index });
      else events.push({ kind: 'apply', index, text: describePlain(message.command) });
    }
    const isNew = hasStarted || before === undefined || before.term !== term || before.isLeader !== isLeader;
    if (isNew) events.push({ kind: 'state', term, isLeader });
    return events;
  }
}

function isOf({ from, to }: LabMessage, server: number): boolean {
  return from === server || to === server;
}

function cutsOf(sides: readonly (readonly number[])[]): readonly string[] {
  const sideOf = new Map(sides.flatMap((side, at) => side.map((server) => [server, at] as const)));
  const servers = [...sideOf.keys()];
  return servers.flatMap((from) =>
    servers.filter((to) => sideOf.get(from) !== sideOf.get(to)).map((to) => `${nameOf(from)}>${nameOf(to)}`),
  );
}
