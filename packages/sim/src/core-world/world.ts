/**
 * The core world: cores only, each with a small disk and a small machine, joined by a network. All of it is plain data, so it can be
 * cloned for nothing, told apart by fingerprints and gone on with in another way. Searches and debuggers choose what happens next.
 */
import type { Input, MemberId, Message, Micros, Raft, RaftOptions } from '@quorate/raft';
import type { StagedWorld } from '../search/search-world.ts';
import type { WorldWatcher } from '../watch.ts';
import type { CoreAction } from './action.ts';
import type { Letter, Local, LocalTurn } from './catalogue.ts';
import { budgetOf, candidatesOf, type Situation, whyNot } from './enabled.ts';
import { fingerprintOf } from './fingerprint.ts';
import type { Ghost } from './ghost.ts';
import { judge } from './judges.ts';
import { finish, type Lanes } from './lanes.ts';
import { earliest } from './next.ts';
import { answered, asked, type CoreOperation } from './operations.ts';
import {
  type BudgetName,
  budgetNames,
  type Budgets,
  type CoreWorldOptions,
  withBudgets,
  incarnationOf,
  type Setting,
  settingOf,
  type Span,
} from './options.ts';
import { changeOf, emptyParts, isLost, increased, isSame, type Parts, startOf } from './parts.ts';
import { ActionError, type Flight, reportOf, type StepReport } from './report.ts';
import type { CoreServer } from './server.ts';
import type { Broken, Surroundings } from './surroundings.ts';
import { Turn } from './turn.ts';

export class CoreWorld implements Situation, StagedWorld<CoreWorld, CoreAction, Budgets> {
  #parts: Parts;
  readonly #watchers: readonly WorldWatcher[];
  /** Cores that live on from step to step, where watchers hold on to them. */
  readonly #live: Map<MemberId, Raft> | null;

  /**
   * The servers have just started. Watchers see all that happens here, from the beginning; a clone has none. Throws RangeError for
   * options that cannot be.
   */
  constructor(options: CoreWorldOptions | Parts, watchers: readonly WorldWatcher[] = []) {
    this.#watchers = watchers;
    this.#live = watchers.length > 0 ? new Map() : null;
    if ('catalogue' in options) {
      this.#parts = options;
      return;
    }
    const setting = settingOf(options);
    this.#parts = emptyParts(setting, setting.timing === 'order' && watchers.length === 0);
    for (const id of setting.ids) this.#turn(id, 'restart', (turn) => turn.start());
  }

  /** A world that is the same and goes its own way from here. It costs next to nothing. */
  clone(): CoreWorld {
    return new CoreWorld(this.#parts);
  }

  get setting(): Setting {
    return this.#parts.setting;
  }

  /** The servers as they are, in order. */
  get servers(): readonly CoreServer[] {
    return this.#parts.locals.map(({ record }) => record);
  }

  /** Messages on their way, in the order of sending. */
  get flights(): readonly Flight[] {
    return this.#parts.flights;
  }

  /** Who led, and what is committed: what nobody in the world knows for certain. */
  get ghost(): Ghost {
    return this.#parts.ghost.ghost;
  }

  /** Virtual microseconds; 0 for ever without a clock. */
  get now(): Micros {
    return this.#parts.now;
  }

  /** Actions that were carried out. */
  get steps(): number {
    return this.#parts.steps;
  }

  /** What clients asked, oldest first. Kept with a clock only. */
  get operations(): readonly CoreOperation[] {
    return this.#parts.operations;
  }

  /** The first invariant that was broken here; null for none. */
  get broken(): Broken | null {
    return this.#parts.broken;
  }

  server(id: MemberId): CoreServer | null {
    return this.#parts.locals[this.setting.ids.indexOf(id)]?.record ?? null;
  }

  flight(id: number): Flight | null {
    const { flights } = this.#parts;
    for (let at = flights.length - 1; at >= 0; at--) {
      const flight = flights[at];
      if (flight?.id === id) return flight;
    }
    return null;
  }

  /** How much of a budget is spent; of terms, the highest that any server is in. */
  spent(budget: BudgetName): number {
    if (budget === 'terms') return Math.max(...this.servers.map(({ disk, raft }) => raft?.term ?? disk.hardState.term));
    return this.#parts.used[budgetNames.indexOf(budget)] ?? 0;
  }

  isCut(from: MemberId, to: MemberId): boolean {
    return this.#parts.cuts.length > 0 && this.#parts.cuts.includes(this.#link(from, to));
  }

  #link(from: MemberId, to: MemberId): number {
    const { ids } = this.setting;
    return ids.indexOf(from) * ids.length + ids.indexOf(to);
  }

  /** Everything that can be done now. Messages in the order of sending, then server by server. */
  enabled(): CoreAction[] {
    return this.candidates().filter((action) => this.why(action) === null);
  }

  /** What one might want to do, whether it can be done or not. */
  candidates(): CoreAction[] {
    return candidatesOf(this);
  }

  /** Why that cannot be done now; null if it can. */
  why(action: CoreAction): string | null {
    return whyNot(this, action);
  }

  /** What is due first, with a clock; null if nothing is, or there is none. */
  next(): CoreAction | null {
    return this.setting.timing === 'clock' ? (earliest(this)?.action ?? null) : null;
  }

  /** Does it. Throws ActionError if it cannot be done now. */
  carryOut(action: CoreAction): StepReport {
    const why = this.why(action);
    if (why !== null) throw new ActionError(action, why);
    return this.perform(action);
  }

  /** Does what is known to be possible: for searches, which take actions from `enabled`. */
  perform(action: CoreAction): StepReport {
    const budget = budgetOf(action);
    this.#set({
      now: this.#timeOf(action),
      steps: this.#parts.steps + 1,
      ...(budget === null ? {} : { used: increased(this.#parts.used, budgetNames.indexOf(budget)) }),
    });
    switch (action.kind) {
      case 'deliver':
        return this.#deliver(action, action.message);
      case 'drop':
        return this.#drop(action, action.message);
      case 'duplicate':
        return this.#duplicate(action, action.message);
      case 'delay':
        return this.#delay(action, action.message, action.by);
      case 'cut':
        this.#set({ cuts: [...this.#parts.cuts, this.#link(action.from, action.to)].sort((a, b) => a - b) });
        return this.#report(action, null, null);
      case 'mend':
        this.#set({ cuts: this.#parts.cuts.filter((link) => link !== this.#link(action.from, action.to)) });
        return this.#report(action, null, null);
      case 'heal':
        this.#set({ cuts: [] });
        return this.#report(action, null, null);
      case 'restage':
        this.#set({ setting: withBudgets(this.setting, action.budgets), ...(action.forget ? { flights: [] } : {}) });
        return this.#report(action, null, null);
      default:
        return this.#atServer(action);
    }
  }

  /** 64 bits that tell this state from others, whatever the servers are called. Two lanes of 32. */
  fingerprint(): Lanes {
    const lanes: Lanes = { a: 0, b: 0 };
    this.fingerprintInto(lanes);
    return lanes;
  }

  fingerprintInto(lanes: Lanes): void {
    const { catalogue, locals, flights, ghost, used, cuts, setting } = this.#parts;
    fingerprintOf(catalogue.symmetry, locals, flights, ghost.coded, used, cuts, setting.ids.length, lanes);
  }

  /** A message that changes nothing at its receiver and draws no answer need never arrive: the state without it can do no more. */
  after(action: CoreAction): CoreWorld | null {
    const next = this.clone();
    const { sent } = next.perform(action);
    return action.kind === 'deliver' && sent.length === 0 && next.#hasSameServers(this) ? null : next;
  }

  /** Messages that are the same are one: a duplicate in flight makes no other state by being chosen. */
  likeness(action: CoreAction): unknown {
    return action.kind === 'deliver' ? this.flight(action.message)?.letter : undefined;
  }

  kindOf(action: CoreAction): string {
    return action.kind === 'timeout' ? `${action.timer} timeout` : action.kind;
  }

  /** Whether nothing has happened to any server since `other`, from which this one branched. */
  #hasSameServers(other: CoreWorld): boolean {
    const theirs = other.#parts.locals;
    const { renamings } = this.#parts.catalogue.symmetry;
    return this.#parts.locals.every(
      (local, at) => local === theirs[at] || local.coded.isSame(theirs[at]?.coded, renamings),
    );
  }

  /**
   * Makes a step that was made from here before once more and compares: null if the same comes of it, or what does not. A search asks
   * this of some of its steps: a core that looks at a clock, draws or keeps something to itself shows here.
   */
  repeat(action: CoreAction): string | null {
    const again = new CoreWorld({ ...this.#parts, catalogue: this.#parts.catalogue.forgetful() });
    const first = this.clone();
    first.perform(action);
    again.perform(action);
    const [a, b] = [first.#parts, again.#parts];
    const { renamings } = this.#parts.catalogue.symmetry;
    for (const [at, id] of this.setting.ids.entries()) {
      const isSame = a.locals[at]?.coded.isSame(b.locals[at]?.coded, renamings) ?? false;
      if (!isSame) return `${id} is in another state after the same step`;
    }
    const isSame = a.flights.every((each, at) => each.letter.coded.isSame(b.flights[at]?.letter.coded, renamings));
    return isSame && a.flights.length === b.flights.length ? null : 'other messages leave after the same step';
  }

  #set(change: Partial<Parts>): void {
    this.#parts = { ...this.#parts, ...change };
  }

  /**
   * The clock moves to where the action is due, unless something else is due before. A timer never runs out early: one that is fired by
   * hand takes the clock along, and what was due before it is late.
   */
  #timeOf(action: CoreAction): Micros {
    const { now, setting } = this.#parts;
    if (setting.timing === 'order') return 0;
    if (action.kind === 'timeout') {
      const due = this.server(action.server)?.timers.find(({ name }) => name === action.timer)?.due;
      return Math.max(now, due ?? now);
    }
    const first = earliest(this);
    const own = first === null || !isSame(first.action, action) ? null : first.due;
    return own === null ? now : Math.max(now, own);
  }

  #draw({ min, max }: Span): Micros {
    const { setting, draws } = this.#parts;
    this.#set({ draws: draws + 1 });
    return min + ((finish(finish(draws, setting.seed), setting.seed ^ 0x5bd1e995) >>> 0) % (max - min + 1));
  }

  #deliver(action: CoreAction, id: number): StepReport {
    const flight = this.#takeOut(id);
    const { message, letter } = flight;
    const report = this.#turn(
      message.to,
      letter,
      (turn) => turn.input({ kind: 'message', message, now: this.now }),
      action,
    );
    if (message.kind === 'installSnapshot') this.#noteTransfer(message, true);
    return report;
  }

  #takeOut(id: number): Flight {
    const { flights } = this.#parts;
    const flight = this.flight(id);
    if (flight === null) throw new ActionError({ kind: 'deliver', message: id }, `message ${id} is not in flight`);
    this.#set({ flights: flights.filter((each) => each !== flight) });
    return flight;
  }

  #drop(action: CoreAction, id: number): StepReport {
    const flight = this.#takeOut(id);
    if (flight.message.kind === 'installSnapshot') this.#noteTransfer(flight.message, false);
    return { ...this.#report(action, null, null), lost: flight };
  }

  /** Whoever streams a snapshot learns how that ended (snapshotSent). */
  #noteTransfer({ from, to }: Message, delivered: boolean): void {
    const at = this.setting.ids.indexOf(from);
    const record = this.#parts.locals[at]?.record;
    if (record === undefined || record.raft === null) return;
    const reports = [...record.reports, { peer: to, delivered }];
    this.#replace(at, this.#parts.catalogue.local({ ...record, reports }, at));
  }

  #delay(action: CoreAction, id: number, by: Micros): StepReport {
    const { flights, now } = this.#parts;
    const later = (flight: Flight): Flight => ({ ...flight, due: Math.max(flight.due, now) + by });
    this.#set({ flights: flights.map((flight) => (flight.id === id ? later(flight) : flight)) });
    return this.#report(action, null, null);
  }

  #duplicate(action: CoreAction, id: number): StepReport {
    const flight = this.flight(id);
    const copies = flight === null ? [] : this.#send([flight.letter]);
    return { ...this.#report(action, null, null), sent: copies };
  }

  #atServer(action: Extract<CoreAction, { readonly server: MemberId }>): StepReport {
    const { server: id } = action;
    const { now } = this;
    switch (action.kind) {
      case 'timeout': {
        const timer = this.server(id)?.timers.find(({ name }) => name === action.timer);
        if (timer === undefined) throw new ActionError(action, `no ${action.timer} timer is armed`);
        return this.#turn(id, action.timer, (turn) => turn.fire(timer), action);
      }
      case 'persist':
        return this.#turn(id, 'persist', (turn) => turn.persist(), action);
      case 'apply':
        return this.#turn(id, 'apply', (turn) => turn.apply(), action);
      case 'load':
        return this.#turn(id, 'load', (turn) => turn.load(), action);
      case 'snapshotSent':
        return this.#turn(id, 'snapshotSent', (turn) => turn.tellReport(), action);
      case 'compact':
        return this.#turn(id, 'compact', (turn) => turn.compact(), action);
      case 'crash':
        return this.#turn(id, `crash ${action.keep}`, (turn) => turn.crash(action.keep), action);
      case 'restart':
        return this.#turn(id, 'restart', (turn) => turn.start(), action);
      case 'pause':
        return this.#edit(action, id, { status: 'paused' });
      case 'resume':
        return this.#edit(action, id, { status: 'running' });
      case 'crashAtDisk':
        return this.#edit(action, id, { crashesAtDisk: true });
      case 'damage':
        return this.#damage(action, id, action.index);
      case 'propose':
      case 'read':
      case 'change':
      case 'transfer':
        return this.#ask(action, id, now);
    }
  }

  /** Questions are numbered from 1, whoever asks what. */
  #ask(
    action: Extract<CoreAction, { kind: 'propose' | 'read' | 'change' | 'transfer' }>,
    id: MemberId,
    now: Micros,
  ): StepReport {
    const number = ['requests', 'reads', 'changes', 'transfers'].reduce(
      (sum, budget) => sum + this.spent(budget as BudgetName),
      0,
    );
    if (this.setting.timing === 'clock') {
      const { kind } = action;
      const calledStep = this.steps;
      this.#set({ operations: asked(this.operations, { id: number, kind, server: id, calledAt: now, calledStep }) });
    }
    switch (action.kind) {
      case 'propose': {
        const commands = [utf8.encode(`c${number}`)];
        const input: Input = { kind: 'propose', id: number, commands, now };
        return this.#turn(id, `propose ${number}`, (turn) => turn.input(input), action);
      }
      case 'read': {
        const committed = this.ghost.committed.length;
        return this.#turn(id, `read ${number} ${committed}`, (turn) => turn.read(number, committed), action);
      }
      case 'change': {
        const { change } = action;
        const input: Input = { kind: 'change', id: number, changes: [changeOf(change)], version: null, now };
        const key = `change ${number} ${change.op} ${change.member}`;
        return this.#turn(id, key, (turn) => turn.input(input), action);
      }
      case 'transfer': {
        const { target } = action;
        const input: Input = { kind: 'transfer', id: number, target, now };
        return this.#turn(id, `transfer ${number} ${target}`, (turn) => turn.input(input), action);
      }
    }
  }

  #edit(action: CoreAction, id: MemberId, change: Partial<CoreServer>): StepReport {
    const at = this.setting.ids.indexOf(id);
    const record = this.#parts.locals[at]?.record;
    if (record !== undefined) this.#replace(at, this.#parts.catalogue.local({ ...record, ...change }, at));
    return this.#report(action, id, null);
  }

  #damage(action: CoreAction, id: MemberId, index: number): StepReport {
    const disk = this.server(id)?.disk;
    for (const watcher of this.#watchers)
      watcher.onDamage(id, { kind: 'bitRot', path: `entry ${index}`, offset: 0, length: 1 });
    if (disk === undefined) return this.#report(action, id, null);
    const faulty = [...disk.faulty, index].sort((a, b) => a - b);
    return this.#edit(action, id, { disk: { ...disk, faulty } });
  }

  /** One step of one server. `key` says what is done; the same of the same server leads to the same. */
  #turn(id: MemberId, key: unknown, act: (turn: Turn) => void, action: CoreAction = startOf(id)): StepReport {
    const at = this.setting.ids.indexOf(id);
    const before = this.#parts.locals[at];
    if (before === undefined) throw new ActionError(action, `there is no server ${id}`);
    const known = this.#parts.catalogue.isRemembering ? before.turns.get(key) : undefined;
    const { turned, local, letters } = known ?? this.#make(before, at, key, act);
    this.#replace(at, local);
    const sent = this.#send(letters);
    const found = turned.broken ?? this.#judge(before.record, local.record, turned.sent);
    const broken = found === null || this.setting.unjudged.includes(found.invariant) ? null : found;
    if (this.#parts.operations.length > 0) {
      const { operations, now, steps } = this.#parts;
      this.#set({ operations: answered(operations, local.record, turned, now, steps) });
    }
    if (broken !== null && this.#parts.broken === null) this.#set({ broken });
    return { ...this.#report(action, id, broken), ...turned, server: id, sent, broken };
  }

  #make(before: Local, at: number, key: unknown, act: (turn: Turn) => void): LocalTurn {
    const { catalogue } = this.#parts;
    const turn = new Turn(this.#surroundings(before.record.id), before.record);
    act(turn);
    const turned = turn.end();
    if (this.#live !== null) {
      if (turned.raft === null) this.#live.delete(turned.server.id);
      else this.#live.set(turned.server.id, turned.raft);
    }
    const local = catalogue.local(turned.server, at);
    const made = { turned, local, letters: turned.sent.map((message) => catalogue.letter(message)) };
    if (catalogue.isRemembering) before.turns.set(key, made);
    return made;
  }

  #surroundings(id: MemberId): Surroundings {
    const { setting, now } = this.#parts;
    const options: RaftOptions = { ...setting.raft, id, incarnation: incarnationOf(id) };
    return {
      now,
      options,
      core: setting.core,
      disk: setting.disk,
      apply: setting.apply,
      delays: setting.timing === 'clock' ? setting.delays : null,
      draw: (span) => this.#draw(span),
      watchers: this.#watchers,
      live: this.#live?.get(id) ?? null,
    };
  }

  #replace(at: number, local: Local): void {
    this.#set({ locals: this.#parts.locals.with(at, local) });
  }

  #send(letters: readonly Letter[]): readonly Flight[] {
    const { setting, now } = this.#parts;
    const leaving = setting.lost.length === 0 ? letters : letters.filter(({ message }) => !isLost(setting, message));
    if (leaving.length === 0) return [];
    const sent = leaving.map((letter, at): Flight => {
      const due = setting.timing === 'clock' ? now + this.#draw(setting.delays.message) : 0;
      return { id: this.#parts.lastMessage + 1 + at, message: letter.message, sentAt: now, due, letter };
    });
    this.#set({ flights: [...this.#parts.flights, ...sent], lastMessage: this.#parts.lastMessage + sent.length });
    return sent;
  }

  #judge(before: CoreServer, after: CoreServer, sent: readonly Message[]): Broken | null {
    const { ghost, catalogue, setting } = this.#parts;
    const judgement = judge(ghost.ghost, before, after, sent, this.servers, setting.unjudged);
    if (judgement.ghost !== ghost.ghost) {
      this.#set({ ghost: { ghost: judgement.ghost, coded: catalogue.code(judgement.ghost) } });
    }
    return judgement.broken;
  }

  #report(action: CoreAction, server: MemberId | null, broken: Broken | null): StepReport {
    return reportOf(action, this.steps, this.now, server, broken);
  }
}

const utf8 = new TextEncoder();
