/**
 * Directs a world through a scenario: waits for what must happen, does what must be done then. A step that does not come about, or has
 * nothing to act on, makes the scenario stale: it no longer shows what it was kept for, and must not pass.
 */
import type { Message, Output } from '@quorate/raft';
import type { Adversary } from '../swarm/adversary.ts';
import { Violation } from '../watch.ts';
import { type Action, type ActionKind, carryOut } from '../world/action.ts';
import type { ServerProcess } from '../world/process.ts';
import type { World } from '../world/world.ts';
import type { Step, StepKind } from './parse.ts';

/** How long one step may take to come about: elections fail, and are tried again. Microseconds. */
const patience = 30_000_000;
/** How often a state is looked at. Microseconds. */
const pollInterval = 1_000;

export class Director implements Adversary {
  readonly actions: Action[] = [];
  readonly #world: World;
  readonly #steps: readonly Step[];
  #position = 0;
  readonly #names = new Map<string, string>();
  /** Of the leader that was named last. */
  #term = 0;
  #since = 0;
  #isAwaiting = false;

  constructor(world: World, steps: readonly Step[]) {
    this.#world = world;
    this.#steps = steps;
  }

  get isDone(): boolean {
    return this.#position >= this.#steps.length;
  }

  start(): void {
    this.#world.audience.check(() => this.#go());
  }

  /** @throws Violation (STALE) when the scenario did not come to its end. */
  stop(): void {
    const step = this.#steps[this.#position];
    if (step !== undefined) throw stale(step, 'the run ended before it came about');
  }

  onOutput(server: string, output: Output): void {
    const step = this.#awaited();
    if (step?.kind === 'persists' && output.persist !== null && this.#id(step.server) === server) this.#happened();
  }

  onSend(server: string, message: Message): void {
    const step = this.#awaited();
    if (step?.kind !== 'sends' || message.kind !== step.message) return;
    if (message.term !== this.#term + step.termOffset) return;
    if (!this.#fits(step.from, server) || !this.#fits(step.to, message.to)) return;
    this.#names.set(step.from, server);
    this.#names.set(step.to, message.to);
    this.#happened();
  }

  onFatal(): void {
    // A server that stops by itself is judged by the invariants; whether it is started again is the scenario's affair.
  }

  #awaited(): Step | undefined {
    return this.#isAwaiting ? this.#steps[this.#position] : undefined;
  }

  /** Goes on behind the event in which it happened. */
  #happened(): void {
    this.#isAwaiting = false;
    this.#position += 1;
    this.#later(0);
  }

  #later(micros: number): void {
    this.#world.clock.afterFromOutside(micros, () => this.#world.audience.check(() => this.#go()));
  }

  /** Takes steps until one has to wait. */
  #go(): void {
    this.#since = this.#world.clock.now;
    for (let step = this.#steps[this.#position]; step !== undefined; step = this.#steps[this.#position]) {
      if (step.kind === 'after') {
        this.#position += 1;
        this.#later(step.micros);
        return;
      }
      if (step.kind === 'sends' || step.kind === 'persists') {
        this.#isAwaiting = true;
        this.#watchPatience(step);
        return;
      }
      if (!this.#take(step)) {
        this.#poll(step);
        return;
      }
      this.#position += 1;
    }
  }

  /** The step's time is over if nothing has happened by then. */
  #watchPatience(step: Step): void {
    this.#world.clock.afterFromOutside(patience, () => {
      if (this.#awaited() === step) this.#world.audience.check(() => giveUp(step));
    });
  }

  #poll(step: Step): void {
    this.#world.clock.afterFromOutside(pollInterval, () => {
      this.#world.audience.check(() => {
        const since = this.#since;
        if (this.#world.clock.now - since > patience) giveUp(step);
        this.#go();
        if (this.#steps[this.#position] === step) this.#since = since;
      });
    });
  }

  /** False: not yet. */
  #take(step: Step): boolean {
    switch (step.kind) {
      case 'leader':
        return this.#nameLeader(step.name);
      case 'follower':
        return this.#nameFollower(step.name);
      case 'leads': {
        const { node } = this.#server(step.server);
        return node?.isLeader === true && node.term === this.#term + step.termOffset;
      }
      case 'follows':
        return this.#server(step.server).node?.leader === this.#id(step.leader);
      default:
        for (const action of this.#actionsOf(step)) this.#do(step, action);
        return true;
    }
  }

  /** The one of the newest term that a majority follows. */
  #nameLeader(name: string): boolean {
    const { servers } = this.#world;
    const leaders = servers.flatMap(({ node }) => (node?.isLeader === true ? [node] : []));
    const [leader] = leaders.toSorted((a, b) => b.term - a.term);
    if (leader === undefined || !this.#fits(name, leader.id)) return false;
    const { term } = leader;
    const followers = servers.filter(({ node }) => node?.leader === leader.id && node.term === term);
    if (followers.length <= servers.length / 2) return false;
    this.#names.set(name, leader.id);
    this.#term = term;
    return true;
  }

  #nameFollower(name: string): boolean {
    const follower = this.#world.servers.find(({ id, node }) => node?.isLeader === false && this.#fits(name, id));
    if (follower === undefined) return false;
    this.#names.set(name, follower.id);
    return true;
  }

  #actionsOf(step: Step): readonly ActionKind[] {
    switch (step.kind) {
      case 'crash':
        return [{ kind: 'crash', server: this.#id(step.server), how: step.how }];
      case 'start':
      case 'pause':
      case 'resume':
      case 'free':
        return [{ kind: step.kind, server: this.#id(step.server) }];
      case 'fill':
        return [{ kind: 'fill', server: this.#id(step.server), left: step.left }];
      case 'stall':
        return [{ kind: 'stallDisk', server: this.#id(step.server), micros: step.micros }];
      case 'isolate':
        return this.#isolation(this.#id(step.server));
      case 'cut':
        return [{ kind: 'cut', from: this.#id(step.from), to: this.#id(step.to), how: step.how }];
      case 'clog':
        return [{ kind: 'clog', from: this.#id(step.from), to: this.#id(step.to), micros: step.micros }];
      case 'reset':
        return [{ kind: 'reset', from: this.#id(step.from), to: this.#id(step.to) }];
      case 'heal':
        return [{ kind: 'heal' }];
      default:
        return [];
    }
  }

  #isolation(server: string): readonly ActionKind[] {
    const others = this.#world.servers.filter(({ id }) => id !== server);
    return others.flatMap(({ id }): readonly ActionKind[] => [
      { kind: 'cut', from: server, to: id, how: 'silent' },
      { kind: 'cut', from: id, to: server, how: 'silent' },
    ]);
  }

  #do(step: Step, action: ActionKind): void {
    const { now, steps } = this.#world.clock;
    if (!carryOut(this.#world, action)) throw stale(step, 'there is nothing to do it to');
    this.actions.push({ at: now, step: steps, ...action });
  }

  /** The server has that name; or neither has the other yet. */
  #fits(name: string, server: string): boolean {
    const named = this.#names.get(name);
    return named === undefined ? ![...this.#names.values()].includes(server) : named === server;
  }

  #id(name: string): string {
    const id = this.#names.get(name);
    if (id === undefined) throw new Error(`The scenario was not checked: nobody is named ${name}.`);
    return id;
  }

  #server(name: string): ServerProcess {
    return this.#world.server(this.#id(name));
  }
}

function giveUp(step: Step): never {
  throw stale(step, `it has not come about in ${patience / 1_000_000} s`);
}

function stale({ line, text }: Step & StepKind, why: string): Violation {
  return new Violation(
    'STALE',
    `line ${line} of the scenario is "${text}"`,
    `${why}. It no longer applies to this build`,
  );
}
