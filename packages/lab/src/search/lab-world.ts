/**
 * The lab's world for searches: a Raft in handlers on each server, calls and answers in flight, and clients. All of it is plain data, so
 * that it is cloned for nothing, told apart by fingerprints and gone on with in another way.
 */
import { type Broken, finish, type Lanes, mixA, mixB, runsOutBefore, type StagedWorld } from '@quorate/sim';
import type { LabAction } from './action.ts';
import { type Allowance, nothingAllowed, type SharedBudget } from './allowance.ts';
import { Catalogue, type Letter, type Local, type LocalTurn } from './catalogue.ts';
import { budgetOf, enabledIn, type Situation, whyNot } from './enabled.ts';
import { type LabGhost, newGhost, snapshotBytes } from './ghost.ts';
import { judge } from './judges.ts';
import { answerTo, callerOf, type LabFlight, type LabMessage } from './message.ts';
import { codeOf, lanesOfCode, speaksOf } from './plain-code.ts';
import type { PlainData } from '../interface.ts';
import { copyPlain } from '../plain-data.ts';
import { type HandledServer, newServer, type ServerStatus } from './server.ts';
import { nothingSpent, type Spent, spentLane, spentOf, unnoticedOf, withTimeout, withSpent } from './spent.ts';
import type { LabStep } from './step.ts';
import type { LabEvent, Subject } from './turn.ts';
import type { SavedSize } from './view.ts';

export interface LabWorldOptions {
  readonly servers: number;
  /** Configurations that a change may ask for. */
  readonly offers?: readonly (readonly number[])[];
}

interface Sent extends LabFlight {
  readonly letter: Letter;
}

interface Parts {
  readonly catalogue: Catalogue;
  readonly offers: readonly (readonly number[])[];
  readonly allowance: Allowance;
  readonly spent: Spent;
  readonly locals: readonly Local[];
  readonly flights: readonly Sent[];
  /** The side that each server is on. */
  readonly sides: readonly number[];
  readonly ghost: LabGhost;
  readonly ghostLanes: Lanes;
  readonly lastMessage: number;
  /** Commands that clients have wanted so far: their numbers. */
  readonly commands: number;
  readonly broken: Broken | null;
}

export class LabWorld implements Situation, StagedWorld<LabWorld, LabAction, Allowance> {
  #parts: Parts;

  /** All servers have just begun. */
  constructor(subject: Subject, options: LabWorldOptions);
  constructor(parts: Parts);
  constructor(given: Subject | Parts, options?: LabWorldOptions) {
    if ('catalogue' in given || options === undefined) {
      this.#parts = given as Parts;
      return;
    }
    const { servers, offers = [] } = options;
    const catalogue = new Catalogue(given, servers);
    const ids = Array.from({ length: servers }, (_, id) => id);
    this.#parts = {
      catalogue,
      offers,
      allowance: nothingAllowed,
      spent: nothingSpent(servers),
      locals: ids.map((id) => catalogue.local(newServer(id))),
      flights: [],
      sides: ids.map(() => 0),
      ghost: newGhost,
      ghostLanes: lanesOfCode(''),
      lastMessage: 0,
      commands: 0,
      broken: null,
    };
    for (const id of ids) this.#turn(id, 'begin', { kind: 'begin' });
  }

  clone(): LabWorld {
    return new LabWorld(this.#parts);
  }

  get servers(): readonly HandledServer[] {
    return this.#parts.locals.map(({ record }) => record);
  }

  get flights(): readonly LabFlight[] {
    return this.#parts.flights;
  }

  get ghost(): LabGhost {
    return this.#parts.ghost;
  }

  get allowance(): Allowance {
    return this.#parts.allowance;
  }

  get offers(): readonly (readonly number[])[] {
    return this.#parts.offers;
  }

  get broken(): Broken | null {
    return this.#parts.broken;
  }

  hasSaved(server: number, command: string): boolean {
    return speaksOf(this.#local(server).record.saved, command);
  }

  savedSize(server: number): SavedSize {
    const { saved, snapshot } = this.#local(server).record;
    return { bytes: copyPlain(saved).bytes, snapshotBytes: snapshot?.length ?? 0 };
  }

  spent(budget: SharedBudget): number {
    return spentOf(this.#parts.spent, budget);
  }

  isLinked(from: number, to: number): boolean {
    return this.#parts.sides[from] === this.#parts.sides[to];
  }

  timersOf(server: number): readonly string[] {
    return this.#local(server).record.timers.map(({ name }) => name);
  }

  whyNoTimeout(server: number, name: string): string | null {
    const { timers } = this.#local(server).record;
    const timer = timers.find((each) => each.name === name);
    if (timer === undefined) return `no timer '${name}' is armed at server ${server}`;
    const earlier = runsOutBefore(timers, timer);
    if (earlier !== null) return `its timer '${earlier.name}' runs out before`;
    const { allowance, spent } = this.#parts;
    if (allowance.stopped.includes(server)) return `the clock of server ${server} stands still`;
    if (this.#timeout(server, name).turned.isNoticed) {
      const isSpent = (spent.noticed[server] ?? 0) >= (allowance.timeouts[server] ?? 0);
      return isSpent ? `the time-outs of server ${server} are spent` : null;
    }
    return unnoticedOf(spent, server, name) >= allowance.unnoticed ? `timer '${name}' has run out often enough` : null;
  }

  whyNoSnapshot(server: number): string | null {
    const { applied, snapshotIndex } = this.#local(server).record;
    if (this.#parts.catalogue.subject.module.snapshot === undefined) return 'the handlers take no snapshots';
    return applied > snapshotIndex ? null : `server ${server} has applied nothing since its last snapshot`;
  }

  enabled(): LabAction[] {
    return enabledIn(this);
  }

  carryOut(action: LabAction): LabStep {
    const why = whyNot(this, action);
    const isScenarios =
      action.kind === 'start' || action.kind === 'crash' || action.kind === 'snapshot' || action.kind === 'change';
    // A scenario does what it likes, and draws on no budget.
    if (why !== null && !(isScenarios && this.#local(action.server).record.status === 'up')) {
      throw new RangeError(`The scenario cannot do this now (${action.kind}): ${why}.`);
    }
    return this.#do(action, 'off');
  }

  perform(action: LabAction): LabStep {
    const budget = budgetOf(this, action);
    if (budget !== null) this.#set({ spent: withSpent(this.#parts.spent, budget) });
    return this.#do(action, 'down');
  }

  /** What changes no server and sends nothing need not happen: the state without it can do no less. */
  after(action: LabAction): LabWorld | null {
    const next = this.clone();
    next.perform(action);
    const isQuiet = next.broken === null && next.#parts.lastMessage === this.#parts.lastMessage;
    return isQuiet && !this.allowance.vain && next.#hasSameServers(this) ? null : next;
  }

  #hasSameServers(other: LabWorld): boolean {
    const theirs = other.#parts.locals;
    return this.#parts.locals.every((local, at) => local.code === theirs[at]?.code);
  }

  likeness(action: LabAction): unknown {
    if (action.kind !== 'deliver') return undefined;
    return this.#parts.flights.find(({ id }) => id === action.message)?.letter;
  }

  kindOf(action: LabAction): string {
    return action.kind === 'timeout' ? `timer ${action.timer}` : action.kind;
  }

  fingerprintInto(lanes: Lanes): void {
    const { locals, flights, ghostLanes, sides, spent } = this.#parts;
    let { a, b } = ghostLanes;
    for (const each of locals) {
      a = (a + each.lanes.a) | 0;
      b = (b + each.lanes.b) | 0;
    }
    for (const { letter } of flights) {
      a = (a + letter.lanes.a) | 0;
      b = (b + letter.lanes.b) | 0;
    }
    const used = spentLane(spent);
    a = mixA(a, used);
    b = mixB(b, used);
    for (const side of sides) {
      a = mixA(a, side);
      b = mixB(b, side);
    }
    lanes.a = finish(a, b);
    lanes.b = finish(b, a);
  }

  repeat(action: LabAction): string | null {
    const first = this.#anew(action);
    const again = this.#anew(action);
    for (const [at, local] of first.#parts.locals.entries()) {
      if (local.code !== again.#parts.locals[at]?.code) return `server ${at} is in another state after the same step`;
    }
    const [a, b] = [first.#parts.flights, again.#parts.flights];
    const isSame = a.length === b.length && a.every(({ letter }, at) => letter.code === b[at]?.letter.code);
    return isSame ? null : 'other calls or answers leave after the same step';
  }

  #anew(action: LabAction): LabWorld {
    const world = new LabWorld({ ...this.#parts, catalogue: this.#parts.catalogue.forgetful() });
    world.perform(action);
    return world;
  }

  #set(change: Partial<Parts>): void {
    this.#parts = { ...this.#parts, ...change };
  }

  #local(server: number): Local {
    const local = this.#parts.locals[server];
    if (local === undefined) throw new RangeError(`There is no server ${server}.`);
    return local;
  }

  /** `stopped`: what a server is that crashes now. */
  #do(action: LabAction, stopped: ServerStatus): LabStep {
    switch (action.kind) {
      case 'deliver':
        return this.#deliver(action, this.#takeOut(action.message));
      case 'fail':
        return this.#fail(action, this.#takeOut(action.message));
      case 'duplicate':
        return this.#duplicate(action);
      case 'timeout':
        return this.#runOut(action);
      case 'start':
        return this.#start(action);
      case 'snapshot':
        return this.#snapshot(action);
      case 'change': {
        const { server, members } = action;
        return stepOf(action, this.#turn(server, `change ${members.join()}`, { kind: 'change', members }));
      }
      case 'crash':
        return this.#crash(action, stopped);
      case 'restart':
        return stepOf(action, this.#turn(action.server, 'begin', { kind: 'begin' }));
      case 'partition':
        this.#set({
          sides: this.#parts.sides.map((_, server) => action.sides.findIndex((side) => side.includes(server))),
        });
        return stepOf(action, null);
      case 'lose':
        this.#set({ flights: this.#parts.flights.filter(({ message }) => !isOn(message, action.from, action.to)) });
        return stepOf(action, null);
      case 'restage':
        this.#set({
          allowance: { ...nothingAllowed, ...action.budgets },
          spent: nothingSpent(this.#parts.locals.length),
          ...(action.forget ? { flights: [] } : {}),
        });
        return stepOf(action, null);
    }
  }

  #takeOut(id: number): Letter {
    const flight = this.#parts.flights.find((each) => each.id === id);
    if (flight === undefined) throw new RangeError(`Message ${id} is not in flight.`);
    this.#set({ flights: this.#parts.flights.filter((each) => each !== flight) });
    return flight.letter;
  }

  #deliver(action: LabAction, letter: Letter): LabStep {
    const { message } = letter;
    if (message.kind === 'answer') {
      return stepOf(action, this.#reply(letter, message.answer, letter), message);
    }
    const turn = this.#turn(message.to, letter, { kind: 'request', call: message });
    if (message.isAwaited && turn.turned.broken === null) {
      this.#send([this.#parts.catalogue.letter(answerTo(message, turn.turned.answer))]);
    }
    return stepOf(action, turn, message);
  }

  #reply(letter: Letter, answer: PlainData, key: unknown): LocalTurn {
    const { message } = letter;
    const caller = callerOf(message);
    const to = message.kind === 'call' ? message.to : message.from;
    const { method, args } = message;
    return this.#turn(caller, key, { kind: 'reply', to, method, args, answer });
  }

  #fail(action: LabAction, letter: Letter): LabStep {
    const { message } = letter;
    const call = message.kind === 'call' ? letter : this.#parts.catalogue.letter({ ...message, answer: null });
    return stepOf(action, this.#reply(letter, null, `fail ${call.code}`), message);
  }

  #duplicate(action: Extract<LabAction, { kind: 'duplicate' }>): LabStep {
    const flight = this.#parts.flights.find(({ id }) => id === action.message);
    if (flight === undefined) throw new RangeError(`Message ${action.message} is not in flight.`);
    this.#send([this.#parts.catalogue.letter({ ...flight.message, isAwaited: false })]);
    return stepOf(action, null, flight.message);
  }

  #timeout(server: number, name: string): LocalTurn {
    return this.#parts.catalogue.turn(this.#local(server), `timer ${name}`, { kind: 'timer', name });
  }

  #runOut(action: Extract<LabAction, { kind: 'timeout' }>): LabStep {
    const { server, timer: name } = action;
    const turn = this.#turn(server, `timer ${name}`, { kind: 'timer', name });
    this.#set({ spent: withTimeout(this.#parts.spent, server, name, turn.turned.isNoticed) });
    return stepOf(action, turn);
  }

  #start(action: Extract<LabAction, { kind: 'start' }>): LabStep {
    const command = `c${this.#parts.commands + 1}`;
    this.#set({ commands: this.#parts.commands + 1 });
    const turn = this.#turn(action.server, `start ${command}`, { kind: 'start', command });
    return stepOf(action, turn, null, command);
  }

  #snapshot(action: Extract<LabAction, { kind: 'snapshot' }>): LabStep {
    const { applied: index } = this.#local(action.server).record;
    const data = snapshotBytes(this.ghost.applied, index);
    const turn = this.#turn(action.server, `snapshot ${codeOf(data)}`, { kind: 'snapshot', index, data });
    return stepOf(action, turn);
  }

  /** What it has saved is left. Nobody answers its calls any more, and no answer reaches it. */
  #crash(action: Extract<LabAction, { kind: 'crash' }>, status: ServerStatus): LabStep {
    const { server } = action;
    const { catalogue, flights, locals } = this.#parts;
    const { record } = this.#local(server);
    const { saved, snapshot, snapshotIndex, term } = record;
    const gone: HandledServer = { ...newServer(server), status, saved, snapshot, snapshotIndex, term };
    const left = flights
      .filter(({ message }) => callerOf(message) !== server || message.kind === 'call')
      .map((flight) => (callerOf(flight.message) === server ? abandoned(flight, catalogue) : flight));
    this.#set({ locals: locals.with(server, catalogue.local(gone)), flights: left });
    return stepOf(action, null);
  }

  #turn(server: number, key: unknown, event: LabEvent): LocalTurn {
    const { catalogue, locals, ghost } = this.#parts;
    const turn = catalogue.turn(this.#local(server), key, event);
    const { turned, local, letters } = turn;
    this.#set({ locals: locals.with(server, local) });
    this.#send(letters);
    const { applied, started } = turned;
    const command = event.kind === 'start' ? event.command : '';
    const judgement = judge(ghost, { server: local.record, applied, started, command });
    if (judgement.ghost !== ghost) {
      this.#set({ ghost: judgement.ghost, ghostLanes: lanesOfCode(codeOf(judgement.ghost as unknown as PlainData)) });
    }
    const broken = turned.broken ?? judgement.broken;
    if (broken !== null && this.#parts.broken === null) this.#set({ broken });
    return turn;
  }

  #send(letters: readonly Letter[]): void {
    if (letters.length === 0) return;
    const { lastMessage, flights } = this.#parts;
    const sent = letters.map((letter, at): Sent => ({ id: lastMessage + 1 + at, message: letter.message, letter }));
    this.#set({ flights: [...flights, ...sent], lastMessage: lastMessage + sent.length });
  }
}

function stepOf(
  action: LabAction,
  turn: LocalTurn | null,
  message: LabMessage | null = null,
  command: string | null = null,
): LabStep {
  return { action, turned: turn?.turned ?? null, message, command };
}

function isOn({ from, to }: LabMessage, sender: number | null, receiver: number | null): boolean {
  return (sender === null || from === sender) && (receiver === null || to === receiver);
}

/** A call whose caller is gone may still arrive. */
function abandoned(flight: Sent, catalogue: Catalogue): Sent {
  const letter = catalogue.letter({ ...flight.message, isAwaited: false });
  return { ...flight, message: letter.message, letter };
}
