/** A server's process in a virtual world: the real runtime and the real key-value service, on a virtual disk, network and clock. */
import { KvService, KvStateMachine, NodeConsensus, type Origin, serviceEnvironment } from '@quorate/kv';
import type { Release } from '@quorate/raft';
import {
  type CoreWatcher,
  type Disk,
  type DiskQueue,
  type Environment,
  type FoundingMember,
  RaftError,
  RaftNode,
  type RaftNodeOptions,
} from '@quorate/runtime';
import { type CrashKind, type DamagePolicy, type DiskFaults, healthyDisk, VirtualDisk, Volume } from '../disk/index.ts';
import type { RandomStream } from '../random.ts';
import type { QueuedEvent } from './event-queue.ts';
import { LifeGuard } from './guard.ts';
import { Replica } from './replica.ts';
import type { World } from './world.ts';

/** What a server runs with: what a seed may draw. */
export type ServerTunables = Pick<RaftNodeOptions, 'raft' | 'limits' | 'storage' | 'transport'>;

export interface ProcessOptions {
  readonly id: string;
  readonly members: readonly FoundingMember[];
  /** It is none of them, and waits to be let in. */
  readonly isSpare: boolean;
  readonly tunables: ServerTunables;
  /**
   * What its runs speak, one release for each, the last for all that follow. Who begins on an empty disk to join those that run already
   * is installed anew, with the last.
   */
  readonly releases: readonly Release[];
  readonly random: RandomStream;
  readonly diskStream: RandomStream;
  readonly policy: DamagePolicy;
  readonly capacity: number;
  /** When its power is cut nobody hears of it; otherwise its connections break, as when the process alone is gone. */
  readonly isDarkWithoutPower: boolean;
  /** How fast its clock runs: parts in a million too fast. */
  readonly drift: number;
}

/** One run of the process. */
interface Life {
  readonly number: number;
  readonly disk: VirtualDisk;
  readonly guard: LifeGuard;
  node: RaftNode | null;
  service: KvService | null;
  replica: Replica | null;
  /** Why it ended by itself. */
  ending: RaftError | null;
  /** Calls that wait for an answer, told when the process ends. */
  readonly callers: Set<() => void>;
}

export class ServerProcess {
  readonly id: string;
  readonly #world: World;
  readonly #options: ProcessOptions;
  #volume: Volume;
  #diskFaults: DiskFaults = healthyDisk;
  #life: Life | null = null;
  #lives = 0;
  #wallOffset = 0;
  /** What it is told when its directory is empty. */
  #clusterState: 'new' | 'existing';
  /** It was installed anew: from then on it speaks the newest that there is. */
  #isNewest: boolean;

  constructor(world: World, options: ProcessOptions) {
    this.id = options.id;
    this.#world = world;
    this.#options = options;
    this.#volume = Volume.empty(options.capacity);
    this.#clusterState = options.isSpare ? 'existing' : 'new';
    this.#isNewest = options.isSpare;
  }

  get isRunning(): boolean {
    return this.#life !== null && this.#life.ending === null;
  }

  /** There is a process, running or ended by itself, that has not been cleared away. */
  get isHeld(): boolean {
    return this.#life !== null;
  }

  /** Its next run will speak more than this one. */
  get hasLaterRelease(): boolean {
    return this.#releaseOf(this.#lives + 1).max > this.#releaseOf(this.#lives).max;
  }

  get isPaused(): boolean {
    return this.#life?.guard.isAsleep ?? false;
  }

  /** Takes part: opened, and not ended. */
  get node(): RaftNode | null {
    return this.isRunning ? (this.#life?.node ?? null) : null;
  }

  get replica(): Replica | null {
    return this.isRunning ? (this.#life?.replica ?? null) : null;
  }

  /** Why it stopped by itself, if it did. */
  get ending(): RaftError | null {
    return this.#life?.ending ?? null;
  }

  get volume(): Volume {
    return this.#life?.disk.volume ?? this.#volume;
  }

  /** What it takes for the time of day. Milliseconds. */
  get wallTime(): number {
    return Math.floor(this.#world.clock.now / 1000) + this.#wallOffset;
  }

  start(): void {
    if (this.isRunning) throw new Error(`${this.id} runs already.`);
    const volume = this.#life === null ? this.#volume : this.#life.disk.crash('process');
    this.#life?.guard.end();
    const life: Life = {
      number: ++this.#lives,
      disk: this.#newDisk(volume),
      guard: new LifeGuard(),
      node: null,
      service: null,
      replica: null,
      ending: null,
      callers: new Set(),
    };
    this.#life = life;
    this.#world.network.light(this.id);
    const origin: Origin = { member: BigInt(`0x${this.id}`), incarnation: this.#draw64() };
    const machine = new KvStateMachine({ origin });
    const { audience } = this.#world;
    const replica = new Replica(this.id, machine, this.#world.consensus, {
      onApply: (entry) => audience.onApply(this.id, entry),
      onRestore: (index, digest) => audience.onRestore(this.id, index, digest),
      guarded: (check) => audience.check(check),
    });
    life.replica = replica;
    const environment = this.#environment(life);
    RaftNode.openWith(
      {
        environment,
        id: this.id,
        listen: addressOf(this.id),
        initialCluster: this.#options.members,
        initialClusterState: this.#clusterState,
        clusterId: 'c0ffee0000000001',
        stateMachine: replica,
        ...this.#tunables(life.number),
        watcher: this.#watcher(life),
      },
      (outcome) => this.#onOpened(life, outcome, machine, origin, environment),
    );
  }

  /** The process is gone; with its machine's power, or by itself. */
  crash(kind: CrashKind): void {
    const life = this.#life;
    if (life === null) return;
    this.#volume = life.disk.crash(kind);
    this.#life = null;
    life.guard.end();
    if (kind === 'power' && this.#options.isDarkWithoutPower) this.#world.network.darken(this.id);
    else this.#world.network.kill(this.id);
    const { callers } = life;
    for (const lost of callers) lost();
    this.#world.audience.onCrash(this.id);
  }

  /** Everything on its disk is lost. It must be down; from now on it is told that its cluster is in this state. */
  loseDisk(clusterState: 'new' | 'existing'): void {
    if (this.#life !== null) throw new Error(`${this.id} must be down to lose its disk.`);
    this.#volume = Volume.empty(this.#options.capacity);
    this.#clusterState = clusterState;
    this.#isNewest = true;
    const damage = { kind: 'diskLost', path: '', offset: 0, length: 0 } as const;
    this.#world.audience.onDamage(this.id, damage);
  }

  /** The process stands still: nothing that happens reaches it until `resume`, and it does not notice. */
  pause(): void {
    if (this.isRunning) this.#life?.guard.sleep();
  }

  /** What came meanwhile is delivered in the order in which it came. */
  resume(): void {
    for (const run of this.#life?.guard.wake() ?? []) this.#world.clock.after(0, run);
  }

  setDiskFaults(faults: DiskFaults): void {
    this.#diskFaults = faults;
    this.#life?.disk.setFaults(faults);
  }

  stallDisk(micros: number): void {
    this.#life?.disk.stall(micros);
  }

  stallLog(micros: number): void {
    this.#life?.disk.stallLog(micros);
  }

  spoil(index: number): boolean {
    return this.#life?.disk.spoil(index) ?? false;
  }

  rot(): boolean {
    return this.#life?.disk.rot() ?? false;
  }

  /** The wall clock is set forward or back. */
  stepClock(millis: number): void {
    this.#wallOffset += millis;
  }

  /** A request of a client, which has arrived here; false if nobody listens. `lost` is called when the process ends before `answer`. */
  serve(lost: () => void, handle: (service: KvService, now: number) => void): boolean {
    const life = this.#life;
    const service = life?.service ?? null;
    if (life === null || service === null || life.ending !== null) return false;
    life.callers.add(lost);
    life.guard.run(() => handle(service, this.#localNow()));
    return true;
  }

  forgetCaller(lost: () => void): void {
    this.#life?.callers.delete(lost);
  }

  #tunables(life: number): ServerTunables {
    const { tunables } = this.#options;
    return { ...tunables, raft: { ...tunables.raft, release: this.#releaseOf(life) } };
  }

  #releaseOf(life: number): Release {
    const { releases } = this.#options;
    const release = this.#isNewest ? releases.at(-1) : releases[Math.min(Math.max(life, 1), releases.length) - 1];
    if (release === undefined) throw new RangeError(`${this.id} has no release to run.`);
    return release;
  }

  #onOpened(
    life: Life,
    outcome: RaftNode | RaftError,
    machine: KvStateMachine,
    origin: Origin,
    environment: Environment,
  ): void {
    if (outcome instanceof RaftError) {
      this.#ended(life, outcome);
      return;
    }
    life.node = outcome;
    outcome.on('fatal', (error) => this.#ended(life, error));
    outcome.on('removed', () => this.#world.audience.onRemoved(this.id));
    life.service = new KvService(new NodeConsensus(outcome), serviceEnvironment(environment), machine, {
      clusterId: 0xc0ffee0000000001n,
      origin,
      sequenceFloor: 0,
      requestTimeout: this.#world.requestTimeout,
    });
  }

  #ended(life: Life, error: RaftError): void {
    if (life.ending !== null) return;
    life.ending = error;
    life.guard.end();
    this.#world.network.kill(this.id);
    for (const lost of life.callers) lost();
    this.#world.audience.onFatal(this.id, error.code, error.message);
  }

  #newDisk(volume: Volume): VirtualDisk {
    const { clock } = this.#world;
    return new VirtualDisk(
      { now: () => clock.now, after: (delay, callback) => void clock.after(delay, callback) },
      this.#options.diskStream,
      volume,
      {
        faults: this.#diskFaults,
        policy: this.#options.policy,
        onDamage: (damage) => this.#world.audience.onDamage(this.id, damage),
        onFault: (kind, path) => this.#world.onDiskFault(this.id, kind, path),
      },
    );
  }

  #environment(life: Life): Environment {
    const { guard } = life;
    const { clock, network } = this.#world;
    const drift = this.#options.drift;
    const slower = (delay: number): number => Math.max(0, delay - Math.floor((delay * drift) / 1_000_000));
    return {
      clock: { now: () => this.#localNow(), wallTime: () => this.wallTime },
      timers: {
        set: (delay, callback) => clock.after(slower(delay), callback, guard),
        clear: (handle) => clock.cancel(handle as QueuedEvent),
        // Whatever is queued for this very moment comes first.
        afterPoll: (callback) => void clock.after(0, callback, guard),
      },
      random: this.#options.random,
      disk: guardedDisk(life.disk, guard),
      network: network.of(this.id, guard),
      logger: { log: (level, message) => this.#world.onLog(this.id, level, message) },
    };
  }

  #localNow(): number {
    const { now } = this.#world.clock;
    return now + Math.floor((now * this.#options.drift) / 1_000_000);
  }

  #watcher(life: Life): CoreWatcher {
    const { audience } = this.#world;
    return {
      onStart: (core) => audience.onStart(this.id, core),
      onInput: (input) => {
        if (this.#life === life) audience.onInput(this.id, input);
      },
      onOutput: (output) => {
        if (this.#life === life) audience.onOutput(this.id, output);
      },
      onSend: (message) => {
        if (this.#life === life) audience.onSend(this.id, message);
      },
    };
  }

  #draw64(): bigint {
    const { random } = this.#options;
    return (BigInt(random.uint32()) << 32n) | BigInt(random.uint32());
  }
}

/** A disk whose answers reach the process only while it lives and runs. What it was told to do happens all the same. */
function guardedDisk(disk: VirtualDisk, guard: LifeGuard): Disk {
  return {
    ...guardedQueue(disk, guard),
    background: guardedQueue(disk.background, guard),
    hold: (done) => disk.hold((error) => guard.run(() => done(error))),
    close: (done) => disk.close(() => guard.run(done)),
  };
}

/** Who is awake is called without another closure. */
function guardedQueue(queue: DiskQueue, guard: LifeGuard): DiskQueue {
  return {
    submit: (operations, done) =>
      queue.submit(operations, (error) => {
        if (guard.isAwake) done(error);
        else guard.run(() => done(error));
      }),
    read: (path, offset, length, done) =>
      queue.read(path, offset, length, (error, bytes) => {
        if (guard.isAwake) done(error, bytes);
        else guard.run(() => done(error, bytes));
      }),
    list: (path, done) => queue.list(path, (error, names) => guard.run(() => done(error, names))),
    size: (path, done) => queue.size(path, (error, bytes) => guard.run(() => done(error, bytes))),
    free: (done) => queue.free((error, bytes) => guard.run(() => done(error, bytes))),
  };
}

export function addressOf(id: string): string {
  return `${id}:2380`;
}
