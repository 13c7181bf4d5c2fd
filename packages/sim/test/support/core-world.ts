/**
 * A cluster of cores without a runtime: messages, disks, timers and crashes in an order drawn from one number. It is the quickest way
 * through many hard situations, and every action is one that a search could choose as well.
 *
 * It is not the core world of src/core-world, and shares nothing with it: here what a core says may be changed on its way (`distort`), which no
 * world that is shipped allows, and the judges that the other one is trusted by are tried in a world of another make.
 */
import {
  defaultOptions,
  initialConfiguration,
  type MemberId,
  type Message,
  type Output,
  type RaftDefaults,
  type TimerName,
} from '@quorate/raft';
import { RandomStream, type WorldWatcher } from '../../src/index.ts';
import { CoreDisk, type CoreSnapshot } from './core-disk.ts';
import { CoreServer, type CoreSurroundings } from './core-server.ts';

export interface CoreWorldOptions {
  readonly seed: number;
  readonly servers: number;
  readonly raft?: Partial<RaftDefaults>;
  readonly watchers: readonly WorldWatcher[];
  readonly distort?: (output: Output, server: CoreServer, world: CoreWorld) => Output;
}

/** How often each action is drawn. */
const weights = {
  deliver: 300,
  persist: 120,
  apply: 60,
  load: 30,
  fire: 14,
  heartbeat: 40,
  propose: 40,
  read: 15,
  drop: 12,
  duplicate: 10,
  compact: 8,
  reportSnapshot: 10,
  gather: 10,
  isolate: 1,
  heal: 3,
  crash: 3,
  restart: 8,
} as const;
type ActionKind = keyof typeof weights;
const actionKinds = Object.keys(weights) as ActionKind[];
const totalWeight = Object.values(weights).reduce((sum, weight) => sum + weight, 0);

export class CoreWorld implements CoreSurroundings {
  readonly watchers: readonly WorldWatcher[];
  readonly servers: CoreServer[] = [];
  readonly distort: CoreSurroundings['distort'];
  now = 0;
  steps = 0;
  #inFlight: Message[] = [];
  #isolated: MemberId | null = null;
  /** Snapshots ever taken, by server and index: what a transfer would read. */
  #nextId = 1;
  #reports: { readonly from: CoreServer; readonly peer: MemberId; readonly delivered: boolean }[] = [];
  readonly #random: RandomStream;

  constructor({ seed, servers, raft = {}, watchers, distort }: CoreWorldOptions) {
    this.#random = new RandomStream(seed);
    this.watchers = watchers;
    this.distort = (output, server) => distort?.(output, server, this) ?? output;
    const ids = Array.from({ length: servers }, (_, at) => `n${at + 1}`);
    const configuration = initialConfiguration(ids.map((id) => ({ id, incarnation: null, context: '' })));
    for (const id of ids) {
      const options = { ...defaultOptions, ...raft, id, incarnation: `${id}-1` };
      this.servers.push(new CoreServer(this, new CoreDisk(configuration), options));
    }
    for (const server of this.servers) server.start(0);
  }

  get #running(): CoreServer[] {
    return this.servers.filter((server) => server.raft !== null);
  }

  get leader(): CoreServer | undefined {
    return this.#running.find((server) => server.core.role === 'leader');
  }

  send(message: Message): void {
    const isCut = message.from === this.#isolated || message.to === this.#isolated;
    if (!isCut && this.#inFlight.length < 200) this.#inFlight.push(message);
    else if (message.kind === 'installSnapshot') {
      // Whoever carries a snapshot says in the end that it did not arrive.
      this.#reports.push({ from: this.server(message.from), peer: message.to, delivered: false });
    }
  }

  snapshotOf(server: MemberId, index: number): CoreSnapshot | undefined {
    const { snapshot } = this.server(server).disk;
    return snapshot.index === index ? snapshot : undefined;
  }

  server(id: MemberId): CoreServer {
    const server = this.servers.find((each) => each.id === id);
    if (server === undefined) throw new Error(`There is no server ${id}.`);
    return server;
  }

  /** `count` actions, drawn one after the other. */
  run(count: number): void {
    for (let done = 0; done < count; done++) this.act(this.#draw());
  }

  #draw(): ActionKind {
    let at = this.#random.below(totalWeight);
    for (const kind of actionKinds) {
      at -= weights[kind];
      if (at < 0) return kind;
    }
    return 'deliver';
  }

  act(kind: ActionKind): void {
    this.now += 1 + this.#random.below(1000);
    this.steps += 1;
    if (kind === 'heal') this.#isolated = null;
    else if (kind === 'restart') this.#restart();
    else if (kind === 'deliver' || kind === 'drop' || kind === 'duplicate') this.#network(kind);
    else if (kind === 'reportSnapshot') this.#report();
    else this.#at(this.#pick(this.#running), kind);
  }

  #network(kind: 'deliver' | 'drop' | 'duplicate'): void {
    if (this.#inFlight.length === 0) return;
    // Mostly the oldest: reordering everything would let nothing succeed.
    const at = this.#random.chance(700) ? 0 : this.#random.below(this.#inFlight.length);
    const message = this.#inFlight[at];
    if (message === undefined) return;
    // A proposal is carried once, whatever happens; anything else may come again.
    const isAgain = kind === 'duplicate' && message.kind !== 'propose';
    if (!isAgain) this.#inFlight.splice(at, 1);
    const to = this.server(message.to);
    const arrives = kind !== 'drop' && to.raft !== null;
    if (message.kind === 'installSnapshot' && !isAgain) {
      this.#reports.push({ from: this.server(message.from), peer: message.to, delivered: arrives });
    }
    if (arrives) to.receive(message);
  }

  #report(): void {
    const report = this.#reports.shift();
    if (report === undefined || report.from.raft === null) return;
    report.from.input({ kind: 'snapshotSent', peer: report.peer, delivered: report.delivered, now: this.now });
  }

  #restart(): void {
    const server = this.#pick(this.servers.filter((each) => each.raft === null));
    server?.start(this.#random.below(3) * 10);
  }

  #at(server: CoreServer | undefined, kind: ActionKind): void {
    if (server === undefined) return;
    const random = this.#random;
    switch (kind) {
      case 'persist':
        if (server.disk.pending.length > 0) server.persist(1 + random.below(server.disk.pending.length));
        break;
      case 'apply':
        if (server.hasToApply) server.apply(1 + random.below(8));
        break;
      case 'load':
        server.load();
        break;
      case 'fire':
        this.#fire(server, this.#pick([...server.timers.keys()]));
        break;
      case 'heartbeat':
        server.fire('heartbeat');
        break;
      case 'propose':
        this.#propose(server, 1 + random.below(3));
        break;
      case 'read':
        server.input({ kind: 'read', id: this.#nextId++, now: this.now });
        break;
      case 'compact':
        server.compact(random.below(3) * 5);
        break;
      case 'gather':
        if (server.isGathering) {
          server.isGathering = false;
          server.flush();
        } else server.isGathering = true;
        break;
      case 'isolate':
        this.#isolated = server.id;
        break;
      case 'crash':
        server.crash(random.below(server.disk.pending.length + 1));
        break;
      default:
        break;
    }
  }

  #fire(server: CoreServer, name: TimerName | undefined): void {
    // A server's stickiness ends no later than its patience.
    if (name === 'election') server.fire('stickiness');
    if (name !== undefined) server.fire(name);
  }

  #propose(server: CoreServer, count: number): void {
    const commands: Uint8Array[] = [];
    for (let at = 0; at < count; at++) commands.push(new TextEncoder().encode(`command ${this.#nextId + at}`));
    const id = this.#nextId;
    this.#nextId += count;
    server.input({ kind: 'propose', id, commands, now: this.now });
  }

  #pick<Item>(from: readonly Item[]): Item | undefined {
    return from.length === 0 ? undefined : from[this.#random.below(from.length)];
  }

  /** Everything that is in flight arrives; what it gives rise to stays in flight. */
  deliver(): void {
    const messages = this.#inFlight;
    this.#inFlight = [];
    for (const message of messages) this.server(message.to).receive(message);
  }

  /** Faults end: everything is delivered, written and applied, until there is nothing left to do but the rhythm of heartbeats. */
  settle(rounds = 200): boolean {
    this.#isolated = null;
    for (const server of this.servers) {
      if (server.raft === null) server.start(0);
      else if (server.isGathering) {
        server.isGathering = false;
        server.flush();
      }
    }
    for (let round = 0; round < rounds; round++) {
      if (round > 0) this.#beat(round);
      while (this.#work());
      if (this.#isSettled()) return true;
    }
    return false;
  }

  #beat(round: number): void {
    this.now += 100_000;
    for (const server of this.#running) {
      server.fire('commitNotice');
      server.fire('heartbeat');
    }
    if (this.leader !== undefined || round % 5 !== 0) return;
    // Nobody leads: patience ends here or there, one server at a time.
    for (const server of this.servers) server.fire('stickiness');
    this.servers[this.#random.below(this.servers.length)]?.fire('election');
  }

  #work(): boolean {
    let acted = false;
    while (this.#reports.length > 0) this.#report();
    const messages = this.#inFlight;
    this.#inFlight = [];
    for (const message of messages) {
      const to = this.server(message.to);
      if (message.kind === 'installSnapshot')
        this.#reports.push({ from: this.server(message.from), peer: message.to, delivered: true });
      to.receive(message);
      acted = true;
    }
    for (const server of this.servers) {
      if (server.disk.pending.length > 0) {
        server.persist(server.disk.pending.length);
        acted = true;
      }
      if (server.hasToApply) {
        server.apply(1000);
        acted = true;
      }
      if (server.loads.length > 0) {
        server.load();
        acted = true;
      }
    }
    return acted;
  }

  #isSettled(): boolean {
    const { leader } = this;
    if (leader === undefined || leader.core.commitIndex < leader.core.lastIndex) return false;
    return this.servers.every(
      ({ core, machine }) =>
        core.leader === leader.id &&
        machine.index === leader.core.lastIndex &&
        core.lastIndex === leader.core.lastIndex,
    );
  }
}
