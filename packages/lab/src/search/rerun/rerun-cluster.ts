/**
 * One life of a cluster in the async style, under controlled scheduling: between two actions nothing runs, and the search chooses what is
 * next: a call or an answer that arrives, or time that passes at one server until it does something.
 */
import type { Broken } from '@quorate/sim';
import type { ApplyMessage, Make, Peer, PlainData } from '../../interface.ts';
import { reservedMethods } from '../../interface.ts';
import { LabPersister } from '../../cluster/lab-persister.ts';
import { readSnapshot } from '../../cluster/service.ts';
import { copyPlain } from '../../plain-data.ts';
import { enterWorld } from '../../sandbox/virtual-globals.ts';
import type { LabAction } from '../action.ts';
import { type Allowance, nothingAllowed, type SharedBudget } from '../allowance.ts';
import { budgetOf, enabledIn, type Situation } from '../enabled.ts';
import { type LabGhost, newGhost, snapshotBytes } from '../ghost.ts';
import { judge, outOfOrder, termFell, threw } from '../judges.ts';
import { answerTo, callerOf, type LabFlight, type LabMessage } from '../message.ts';
import { codeOf, speaksOf } from '../plain-code.ts';
import type { SearchedServer, ServerStatus } from '../server.ts';
import { nothingSpent, type Spent, spentOf, unnoticedOf, withSpent, withTimeout } from '../spent.ts';
import type { LabStep } from '../step.ts';
import type { Turned } from '../turn.ts';
import type { SavedSize } from '../view.ts';
import { Chance, clockNames, LocalClock, settled } from './local-clock.ts';
import {
  badlyLoaded,
  noEffects,
  type Effects,
  isNoticed,
  type Life,
  type Member,
  type Rest,
  type RestingMember,
  type Sent,
} from './member.ts';

export interface RerunOptions {
  readonly make: Make;
  readonly servers: number;
  readonly offers: readonly (readonly number[])[];
}

export class RerunCluster implements Situation {
  allowance: Allowance = nothingAllowed;
  ghost: LabGhost = newGhost;
  broken: Broken | null = null;
  readonly offers: RerunOptions['offers'];
  readonly #make: Make;
  readonly #members: Member[];
  #flights: Sent[] = [];
  #sides: readonly number[];
  #spent: Spent;
  #lastMessage = 0;
  #commands = 0;
  readonly #chance = new Chance();
  #effects: Effects | null = null;

  constructor({ make, servers, offers }: RerunOptions) {
    this.#make = make;
    this.offers = offers;
    const ids = Array.from({ length: servers }, (_, id) => id);
    this.#members = ids.map((id) => ({
      shown: { id, status: 'off', term: 0, isLeader: false, applied: 0 },
      life: null,
      persister: new LabPersister(),
      snapshotIndex: 0,
    }));
    this.#sides = ids.map(() => 0);
    this.#spent = nothingSpent(servers);
  }

  /** All servers begin. Whatever they run finds its own time, and chance that is the same in every run. */
  async begin(): Promise<void> {
    this.#enter();
    for (const { shown } of this.#members) await this.#act(shown.id, 'began', () => this.#restart(shown.id));
  }

  #enter(): void {
    const now = (): number => this.#current.now;
    const scheduler = {
      get now(): number {
        return now();
      },
      after: (milliseconds: number, run: () => void) => this.#current.after(milliseconds, run),
    };
    enterWorld(scheduler, this.#chance);
  }

  get servers(): readonly SearchedServer[] {
    return this.#members.map(({ shown }) => shown);
  }

  get flights(): readonly LabFlight[] {
    return this.#flights;
  }

  hasSaved(server: number, command: string): boolean {
    return speaksOf(copyPlain(this.#member(server).persister.readState()).value, command);
  }

  savedSize(server: number): SavedSize {
    const { persister } = this.#member(server);
    return { bytes: persister.stateSize(), snapshotBytes: persister.snapshotSize() };
  }

  /** What the `save` of a server tells, at its own time; null if it is down or has none. */
  #inside(server: number): PlainData {
    const raft = this.#member(server).life?.raft ?? null;
    if (raft === null || raft.save === undefined) return null;
    this.#effects = noEffects(server);
    try {
      return copyPlain(raft.save()).value;
    } catch (error) {
      this.#break(threw(server, 'was to tell what is in it (save)', error));
      return null;
    } finally {
      this.#effects = null;
    }
  }

  /** Whether the first server, which must be up, has `change`. */
  get offersChange(): boolean {
    return this.#members[0]?.life?.raft?.change !== undefined;
  }

  spent(budget: SharedBudget): number {
    return spentOf(this.#spent, budget);
  }

  isLinked(from: number, to: number): boolean {
    return this.#sides[from] === this.#sides[to];
  }

  timersOf(server: number): readonly string[] {
    return this.#member(server).life?.clock.isRunning === true ? clockNames : [];
  }

  whyNoTimeout(server: number, timer: string): string | null {
    if (this.allowance.stopped.includes(server)) return `the clock of server ${server} stands still`;
    // That nothing comes of it shows only when time has passed.
    const most = timer === 'idle' ? this.allowance.unnoticed : Math.max(1, this.allowance.unnoticed);
    if (unnoticedOf(this.#spent, server, timer) >= most) return 'enough time has passed for nothing';
    if (timer === 'idle') return null;
    const left = (this.allowance.timeouts[server] ?? 0) - (this.#spent.noticed[server] ?? 0);
    return left > 0 ? null : `the time-outs of server ${server} are spent`;
  }

  whyNoSnapshot(server: number): string | null {
    const { shown, snapshotIndex } = this.#member(server);
    return shown.applied > snapshotIndex ? null : `server ${server} has applied nothing since its last snapshot`;
  }

  enabled(): LabAction[] {
    return enabledIn(this);
  }

  /** `isScenarios`: the scenario does it, and draws on no budget. */
  async perform(action: LabAction, isScenarios: boolean): Promise<LabStep> {
    const budget = isScenarios ? null : budgetOf(this, action);
    if (budget !== null) this.#spent = withSpent(this.#spent, budget);
    switch (action.kind) {
      case 'deliver':
        return this.#deliver(action, this.#takeOut(action.message));
      case 'fail':
        return this.#fail(action, this.#takeOut(action.message));
      case 'duplicate':
        return this.#duplicate(action);
      case 'timeout':
        return this.#pass(action);
      case 'start':
        return this.#start(action);
      case 'snapshot':
      case 'change':
      case 'restart':
        return this.#atServer(action);
      case 'crash':
        this.#crash(action.server, isScenarios ? 'off' : 'down');
        return { action, message: null, turned: null, command: null };
      default:
        this.#change(action);
        return { action, message: null, turned: null, command: null };
    }
  }

  /** Ends all servers. */
  end(): void {
    for (const { shown } of this.#members) this.#crash(shown.id, 'off');
  }

  /** What a run can go on from: where nothing is on its way, and each server that is up can tell and take over what is in it. Null elsewhere. */
  rest(): Rest | null {
    if (this.#flights.length > 0) return null;
    const members: RestingMember[] = [];
    for (const { life, persister, shown, snapshotIndex } of this.#members) {
      const { raft = null } = life ?? {};
      if (life !== null && (raft?.save === undefined || raft.load === undefined)) return null;
      const inside = this.#inside(shown.id);
      members.push({ shown, persister: persister.successor(), snapshotIndex, inside });
    }
    return {
      members,
      allowance: this.allowance,
      ghost: this.ghost,
      sides: this.#sides,
      spent: this.#spent,
      counts: [this.#lastMessage, this.#commands, this.#chance.draws],
    };
  }

  /** In place of `begin`. */
  async resume({ members, allowance, ghost, sides, spent, counts }: Rest): Promise<void> {
    this.#enter();
    for (const [server, { shown, persister, snapshotIndex, inside }] of members.entries()) {
      const member = this.#member(server);
      member.persister = persister.successor();
      member.snapshotIndex = snapshotIndex;
      if (shown.status === 'up') {
        await this.#act(server, 'was loaded', () => {
          this.#restart(server);
          member.life?.raft?.load?.(copyPlain(inside).value);
        });
        this.#break(badlyLoaded(shown, member.shown));
        member.snapshotIndex = snapshotIndex;
      }
      member.shown = shown;
    }
    this.allowance = allowance;
    this.ghost = ghost;
    this.#sides = sides;
    this.#spent = spent;
    [this.#lastMessage, this.#commands, this.#chance.draws] = counts;
  }

  /** All that tells this moment from others, if every server has a `save`; null if one has none. */
  code(): string | null {
    const parts: string[] = [];
    for (const { life, persister, shown } of this.#members) {
      if (life !== null && life.raft?.save === undefined) return null;
      const inside = this.#inside(shown.id);
      const { left } = life?.clock ?? { left: [] };
      parts.push(codeOf([inside, copyPlain(persister.readState()).value, left, { ...shown }]));
    }
    parts.push(...this.#flights.map(({ message }) => codeOf({ ...message })).toSorted());
    return [...parts, codeOf([this.#sides, JSON.stringify(this.ghost), JSON.stringify(this.#spent)])].join(' ');
  }

  #change(action: Extract<LabAction, { kind: 'partition' | 'lose' | 'restage' }>): void {
    switch (action.kind) {
      case 'partition':
        this.#sides = this.#sides.map((_, server) => action.sides.findIndex((side) => side.includes(server)));
        break;
      case 'lose': {
        const { from, to } = action;
        const isOn = ({ message }: Sent): boolean =>
          (from === null || message.from === from) && (to === null || message.to === to);
        this.#flights = this.#flights.filter((flight) => !isOn(flight));
        break;
      }
      case 'restage':
        this.allowance = { ...nothingAllowed, ...action.budgets };
        this.#spent = nothingSpent(this.#members.length);
        if (action.forget) this.#flights = [];
        break;
    }
  }

  #member(server: number): Member {
    const member = this.#members[server];
    if (member === undefined) throw new RangeError(`There is no server ${server}.`);
    return member;
  }

  /** Of the server whose code runs. */
  get #current(): LocalClock {
    const server = this.#effects?.server;
    const clock = server === undefined ? undefined : this.#members[server]?.life?.clock;
    if (clock === undefined) throw new RangeError('Code of a server runs when none of the servers has its turn.');
    return clock;
  }

  /** Lets a server do something, and whatever that resolves go on, until nothing runs any more. */
  async #act(server: number, doing: string, act: () => void | Promise<void>): Promise<Turned<SearchedServer>> {
    const before = this.#member(server).shown;
    const effects = noEffects(server);
    this.#effects = effects;
    const fail = (error: unknown): void => this.#break(threw(server, doing, error));
    process.on('unhandledRejection', fail);
    try {
      await act();
      await settled();
      this.#look(server, before);
    } catch (error) {
      fail(error);
    } finally {
      process.off('unhandledRejection', fail);
      this.#effects = null;
    }
    const { shown } = this.#member(server);
    return {
      server: shown,
      calls: effects.calls,
      answer: effects.answer,
      applied: effects.applied,
      started: null,
      hasBegun: false,
      hasSaved: effects.hasSaved,
      isNoticed: isNoticed(effects) || shown.term !== before.term || shown.isLeader !== before.isLeader,
      broken: this.broken,
    };
  }

  #look(server: number, before: SearchedServer): void {
    const member = this.#member(server);
    const state = member.life?.raft?.getState();
    if (state === undefined) return;
    const { term, isLeader } = state;
    this.#break(termFell(before, term));
    member.shown = { ...member.shown, term, isLeader };
  }

  #judge(turned: Turned<SearchedServer>, command: string): Turned<SearchedServer> {
    const { server, applied, started } = turned;
    const judgement = judge(this.ghost, { server, applied, started, command });
    this.ghost = judgement.ghost;
    this.#break(judgement.broken);
    return turned;
  }

  #break(broken: Broken | null): void {
    this.broken ??= broken;
  }

  #restart(server: number): void {
    const member = this.#member(server);
    const persister = member.persister.successor();
    const life: Life = { raft: null, clock: new LocalClock() };
    const snapshot = persister.readSnapshot();
    member.persister = persister;
    member.life = life;
    member.snapshotIndex = snapshot === null ? 0 : (readSnapshot(snapshot)?.index ?? 0);
    member.shown = { id: server, status: 'up', term: 0, isLeader: false, applied: member.snapshotIndex };
    const save = persister.save.bind(persister);
    persister.save = (state, data) => {
      if (member.life !== life) return;
      save(state, data);
      if (this.#effects?.server === server) this.#effects.hasSaved = true;
    };
    const peers = this.#members.map(
      ({ shown }): Peer => ({
        call: (method, args) => this.#call(server, life, shown.id, method, args),
      }),
    );
    const environment = {
      now: () => life.clock.now,
      after: (milliseconds: number, run: () => void) => life.clock.after(milliseconds, run),
      below: (bound: number) => this.#chance.uint32() % bound,
    };
    life.raft = this.#make(peers, server, persister, (message) => this.#apply(server, life, message), environment);
  }

  #call(from: number, life: Life, to: number, method: string, args: unknown): Promise<PlainData> {
    return new Promise((resolve) => {
      if (this.#member(from).life !== life) return;
      const copied = copyPlain(args).value;
      const message: LabMessage = { kind: 'call', from, to, method, args: copied, answer: null, isAwaited: true };
      this.#effects?.calls.push(message);
      this.#send(message, resolve);
    });
  }

  #send(message: LabMessage, resolve: Sent['resolve']): void {
    this.#lastMessage += 1;
    this.#flights.push({ id: this.#lastMessage, message, resolve });
  }

  #apply(server: number, life: Life, given: ApplyMessage): void {
    const member = this.#member(server);
    if (member.life !== life) return;
    const message = given.kind === 'command' ? { ...given, command: copyPlain(given.command).value } : given;
    this.#break(outOfOrder(server, member.shown.applied, message));
    member.shown = { ...member.shown, applied: message.index };
    if (message.kind === 'snapshot') member.snapshotIndex = message.index;
    this.#effects?.applied.push(message);
  }

  #takeOut(id: number): Sent {
    const flight = this.#flights.find((each) => each.id === id);
    if (flight === undefined) throw new RangeError(`Message ${id} is not in flight.`);
    this.#flights = this.#flights.filter((each) => each !== flight);
    return flight;
  }

  async #deliver(action: LabAction, { message, resolve }: Sent): Promise<LabStep> {
    const doing = `handled the ${message.kind === 'call' ? 'call' : 'answer to its call'} ${message.method}`;
    const turned = await this.#act(message.to, doing, () => {
      if (message.kind === 'answer') resolve(copyPlain(message.answer).value);
      else this.#dispatch(message, resolve);
    });
    return { action, message, turned: this.#judge(turned, ''), command: null };
  }

  #dispatch(message: LabMessage, resolve: Sent['resolve']): void {
    const { life } = this.#member(message.to);
    const raft = life?.raft ?? null;
    if (raft === null) throw new RangeError(`Server ${message.to} is down.`);
    const handler: unknown = Reflect.get(raft, message.method);
    if (typeof handler !== 'function' || reservedMethods.has(message.method))
      throw new TypeError(`There is no method '${message.method}' for peers to call`);
    const answer = (value: unknown): void => {
      if (!message.isAwaited || this.#member(message.to).life !== life) return;
      const copied = copyPlain(value).value;
      if (this.#effects !== null) this.#effects.answer = copied;
      this.#send(answerTo(message, copied), resolve);
    };
    const reply: unknown = handler.call(raft, copyPlain(message.args).value);
    if (reply instanceof Promise) void reply.then(answer);
    else answer(reply);
  }

  async #fail(action: LabAction, { message, resolve }: Sent): Promise<LabStep> {
    const doing = `had no answer to its call ${message.method}`;
    const turned = await this.#act(callerOf(message), doing, () => resolve(null));
    return { action, message, turned: this.#judge(turned, ''), command: null };
  }

  #duplicate(action: Extract<LabAction, { kind: 'duplicate' }>): Promise<LabStep> {
    const flight = this.#flights.find(({ id }) => id === action.message);
    if (flight === undefined) throw new RangeError(`Message ${action.message} is not in flight.`);
    this.#send({ ...flight.message, isAwaited: false }, () => undefined);
    return Promise.resolve({ action, message: flight.message, turned: null, command: null });
  }

  async #pass(action: Extract<LabAction, { kind: 'timeout' }>): Promise<LabStep> {
    const { server, timer } = action;
    const clock = this.#member(server).life?.clock;
    const { term, isLeader } = this.#member(server).shown;
    const turned = await this.#act(server, 'let time pass', async () => {
      if (timer === 'idle') clock?.idle();
      else {
        const isEnough = (): boolean => {
          const state = this.#member(server).life?.raft?.getState();
          const isOther = state !== undefined && (state.term !== term || state.isLeader !== isLeader);
          return isOther || this.broken !== null || (this.#effects !== null && isNoticed(this.#effects));
        };
        await clock?.pass(isEnough, settled);
      }
    });
    this.#spent = withTimeout(this.#spent, server, timer, turned.isNoticed);
    return { action, message: null, turned: this.#judge(turned, ''), command: null };
  }

  async #start(action: Extract<LabAction, { kind: 'start' }>): Promise<LabStep> {
    this.#commands += 1;
    const command = `c${this.#commands}`;
    let started: Turned['started'] = null;
    const turned = await this.#act(action.server, `was to start ${command}`, () => {
      started = this.#member(action.server).life?.raft?.start(command) ?? null;
    });
    return { action, message: null, turned: this.#judge({ ...turned, started }, command), command };
  }

  async #atServer(action: Extract<LabAction, { kind: 'snapshot' | 'change' | 'restart' }>): Promise<LabStep> {
    const { server, kind } = action;
    let hasBegun = false;
    const turned = await this.#act(server, `did as it was told (${kind})`, () => {
      const member = this.#member(server);
      if (kind === 'restart') this.#restart(server);
      else if (kind === 'change') hasBegun = member.life?.raft?.change?.(action.members) ?? false;
      else {
        member.snapshotIndex = member.shown.applied;
        member.life?.raft?.snapshot(member.shown.applied, snapshotBytes(this.ghost.applied, member.shown.applied));
      }
    });
    return { action, message: null, turned: this.#judge({ ...turned, hasBegun }, ''), command: null };
  }

  /** What it has saved is left. Nobody answers its calls any more, and no answer reaches it. */
  #crash(server: number, status: ServerStatus): void {
    const member = this.#member(server);
    const { life, shown } = member;
    if (life === null) return;
    member.life = null;
    member.shown = { ...shown, status, isLeader: false, applied: 0 };
    life.clock.stop();
    this.#effects = noEffects(server);
    try {
      life.raft?.kill();
    } catch (error) {
      this.#break(threw(server, 'was killed', error));
    } finally {
      this.#effects = null;
    }
    this.#flights = this.#flights
      .filter(({ message }) => callerOf(message) !== server || message.kind === 'call')
      .map((flight) =>
        callerOf(flight.message) === server ? { ...flight, message: { ...flight.message, isAwaited: false } } : flight,
      );
  }
}
