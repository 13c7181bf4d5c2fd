/** The adversary: hurts the world now and then, as its weights say, and mostly repairs what it did. Writes down all that it does. */
import type { DamageBudget } from '../disk/index.ts';
import type { Message, Output } from '@quorate/raft';
import type { RandomStream } from '../random.ts';
import { type Action, type ActionKind, carryOut } from '../world/action.ts';
import type { CutKind } from '../world/network.ts';
import type { ServerProcess } from '../world/process.ts';
import type { World } from '../world/world.ts';
import type { Adversary } from './adversary.ts';
import { AimedDamage } from './aimed-damage.ts';
import { Founding } from './founding.ts';
import type { Hands } from './hands.ts';
import { MembershipChange } from './membership-change.ts';
import type { NemesisWeights, RunOptions } from './options.ts';
import { TransferTrouble } from './transfer-trouble.ts';
import { UnboundLoss } from './unbound-loss.ts';

type Deed = keyof NemesisWeights;

const SECOND = 1_000_000;
/** Of the pause before a server is started that stops for the same reason every time. */
const MAX_DOUBLINGS = 5;

export class Nemesis implements Adversary {
  readonly actions: Action[] = [];
  readonly #world: World;
  readonly #stream: RandomStream;
  readonly #options: RunOptions;
  /** The deeds, each as often as its weight. */
  readonly #deeds: readonly Deed[];
  /** Servers that are to crash so many microseconds after they hand something to the disk. */
  readonly #inWrite = new Map<string, number>();
  readonly #aimed: AimedDamage;
  readonly #transfers: TransferTrouble;
  readonly #founding: Founding;
  readonly #unbound: UnboundLoss | null;
  readonly #membership: MembershipChange;
  /** Why each server that stopped by itself did so last, and how often in a row it had before. */
  readonly #endings = new Map<string, { readonly message: string; readonly repetitions: number }>();
  #isOver = false;

  constructor(world: World, stream: RandomStream, options: RunOptions, budget: DamageBudget) {
    this.#world = world;
    this.#stream = stream;
    this.#options = options;
    const weights = Object.entries(options.nemesis) as [Deed, number][];
    this.#deeds = weights.flatMap(([deed, weight]) => Array.from({ length: weight }, () => deed));
    const hands: Hands = {
      world,
      stream,
      budget,
      do: (action) => this.#do(action),
      later: (micros, work) => this.#later(micros, work),
      duration: (most) => this.#duration(most),
      cutOff: (group, how) => this.#cutOff(group, how),
    };
    this.#aimed = new AimedDamage(hands);
    this.#transfers = new TransferTrouble(hands);
    this.#founding = new Founding(world, budget, false);
    this.#unbound = options.damage.unbound ? new UnboundLoss(hands) : null;
    this.#membership = new MembershipChange(hands, options.servers);
  }

  start(): void {
    this.#do({ kind: 'network', faults: this.#options.network });
    for (const { id } of this.#world.servers) this.#do({ kind: 'disk', server: id, faults: this.#options.disk });
    if (this.#deeds.length > 0) this.#wait();
  }

  /** Does nothing further; what it began to repair it leaves to others. */
  stop(): void {
    this.#isOver = true;
  }

  /** A server handed something to its disk. */
  onOutput(server: string, output: Output): void {
    this.#transfers.onOutput(server, output);
    this.#founding.onOutput(server);
    this.#membership.onOutput(this.#world.server(server));
    if (output.persist === null || this.#inWrite.size === 0) return;
    const delay = this.#inWrite.get(server);
    if (delay === undefined) return;
    this.#inWrite.delete(server);
    this.#later(delay, () => this.#crash(this.#world.server(server)));
  }

  onSend(server: string, message: Message): void {
    this.#unbound?.onSend(server, message);
  }

  /** A server stopped by itself: whoever looks after it starts it again, ever later while it stops for the same reason. */
  onFatal(server: string, message: string): void {
    const before = this.#endings.get(server);
    const repetitions = before?.message === message ? before.repetitions + 1 : 0;
    this.#endings.set(server, { message, repetitions });
    const patience = 2 ** Math.min(repetitions, MAX_DOUBLINGS);
    this.#later(this.#duration(8) * patience, () => this.#do({ kind: 'start', server }));
  }

  #wait(): void {
    this.#later(this.#stream.below(2 * this.#options.nemesisMicros + 1), () => {
      this.#act(this.#stream.pick(this.#deeds));
      this.#wait();
    });
  }

  #act(deed: Deed): void {
    const server = this.#victim();
    const { id } = server;
    switch (deed) {
      case 'crash':
        return this.#crash(server);
      case 'crashInWrite':
        this.#inWrite.set(id, this.#stream.below(1500));
        return;
      case 'snapshotTrouble':
        return this.#transfers.arm();
      case 'crashAll':
        for (const each of this.#world.servers) this.#crash(each);
        return;
      case 'pause':
        this.#do({ kind: 'pause', server: id });
        return this.#later(this.#duration(4), () => this.#do({ kind: 'resume', server: id }));
      case 'isolate':
        return this.#separate([id]);
      case 'partition':
        return this.#separate(this.#someServers());
      case 'oneWay':
        return this.#oneWay(server);
      case 'clog':
        for (const other of this.#others(id)) {
          this.#do({ kind: 'clog', from: id, to: other.id, micros: this.#duration(3) });
        }
        return;
      case 'reset':
        return void this.#do({ kind: 'reset', from: id, to: this.#stream.pick(this.#world.servers).id });
      case 'stallDisk':
        return void this.#do({ kind: 'stallDisk', server: id, micros: this.#duration(5) });
      case 'stallLog':
        return this.#stallLog(server);
      case 'rot':
        return void this.#do({ kind: 'rot', server: id });
      case 'spoil':
        return this.#aimed.spoil();
      case 'strand':
        return this.#aimed.strand();
      case 'loseDisk':
        return this.#loseDisk(server);
      case 'fill':
        this.#do({ kind: 'fill', server: id, left: this.#stream.pick([0, 10_000, 100_000]) });
        return this.#later(this.#duration(10), () => this.#do({ kind: 'free', server: id }));
      case 'change':
        return this.#membership.change();
      case 'transfer':
        return this.#membership.transfer();
      case 'flap':
        return this.#flap(id, 2 + this.#stream.below(9));
      case 'upgrade':
        return this.#upgrade();
      case 'stepClock':
        return void this.#do({ kind: 'stepClock', server: id, millis: this.#stream.between(-3_600_000, 3_600_000) });
    }
  }

  #crash(server: ServerProcess): void {
    const how = this.#stream.below(3) === 0 ? 'process' : 'power';
    if (!this.#do({ kind: 'crash', server: server.id, how })) return;
    this.#later(this.#duration(8), () => this.#do({ kind: 'start', server: server.id }));
  }

  /** One server at a time, whichever is next: the order does not matter. */
  #upgrade(): void {
    const behind = this.#world.servers.filter(({ isRunning, hasLaterRelease }) => isRunning && hasLaterRelease);
    if (behind.length === 0) return;
    const { id } = this.#stream.pick(behind);
    this.#do({ kind: 'crash', server: id, how: 'process' });
    this.#later(this.#stream.below(SECOND), () => this.#do({ kind: 'start', server: id }));
  }

  /** Others commit what its own disk has not; often it crashes before that catches up. */
  #stallLog(server: ServerProcess): void {
    const micros = this.#duration(5);
    this.#do({ kind: 'stallLog', server: server.id, micros });
    if (this.#stream.below(2) === 0) this.#later(this.#stream.below(micros), () => this.#crash(server));
  }

  #loseDisk(server: ServerProcess): void {
    if (!this.#founding.mayLoseDisk(server.id)) return;
    this.#do({ kind: 'crash', server: server.id, how: 'power' });
    // Who puts an empty disk in says that the cluster is new, or, to get past the question whether the member ran before, that it exists.
    const state = this.#stream.pick(['new', 'existing'] as const);
    this.#do({ kind: 'loseDisk', server: server.id, state });
    this.#later(this.#duration(8), () => this.#do({ kind: 'start', server: server.id }));
    if (state === 'existing') this.#membership.readmitSoon(server.id);
  }

  #separate(group: readonly string[]): void {
    this.#cutOff(group, this.#stream.below(2) === 0 ? 'silent' : 'reset');
    this.#healLater();
  }

  #cutOff(group: readonly string[], how: CutKind): void {
    for (const { id } of this.#world.servers) {
      if (group.includes(id)) continue;
      for (const member of group) {
        this.#do({ kind: 'cut', from: id, to: member, how });
        this.#do({ kind: 'cut', from: member, to: id, how });
      }
    }
  }

  /** The server hears but is not heard, or the reverse. */
  #oneWay(server: ServerProcess): void {
    const way = this.#stream.below(2) === 0 ? 'out' : 'in';
    this.#cutOneWay(server.id, way);
    this.#healLater();
  }

  #cutOneWay(id: string, way: 'out' | 'in'): void {
    for (const other of this.#others(id)) {
      const [from, to] = way === 'out' ? [id, other.id] : [other.id, id];
      this.#do({ kind: 'cut', from, to, how: 'silent' });
    }
  }

  /** Its links come and go: both ways, or one way only. */
  #flap(id: string, left: number): void {
    const way = this.#stream.pick(['both', 'both', 'out', 'in'] as const);
    if (way === 'both') this.#cutOff([id], this.#stream.pick(['silent', 'reset'] as const));
    else this.#cutOneWay(id, way);
    this.#later(this.#duration(4), () => {
      this.#do({ kind: 'heal' });
      if (left > 0) this.#later(this.#duration(4), () => this.#flap(id, left - 1));
    });
  }

  #healLater(): void {
    this.#later(this.#duration(10), () => this.#do({ kind: 'heal' }));
  }

  /** The leader every second time: most of what goes wrong goes wrong around it. */
  #victim(): ServerProcess {
    const any = this.#stream.pick(this.#world.servers);
    if (this.#stream.below(2) === 0) return any;
    return this.#world.servers.find(({ node }) => node?.isLeader === true) ?? any;
  }

  #someServers(): readonly string[] {
    return this.#world.servers.filter(() => this.#stream.below(2) === 0).map(({ id }) => id);
  }

  #others(id: string): readonly ServerProcess[] {
    return this.#world.servers.filter((server) => server.id !== id);
  }

  /** Mostly short, now and then `most` seconds. */
  #duration(most: number): number {
    return this.#stream.below(this.#stream.pick([SECOND / 10, SECOND, most * SECOND])) + 1;
  }

  #do(action: ActionKind): boolean {
    const { now, steps } = this.#world.clock;
    const isDone = carryOut(this.#world, action);
    if (isDone) this.actions.push({ at: now, step: steps, ...action });
    return isDone;
  }

  #later(micros: number, work: () => void): void {
    this.#world.clock.afterFromOutside(micros, () => {
      if (!this.#isOver) work();
    });
  }
}
