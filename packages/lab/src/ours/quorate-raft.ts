/** Our Raft behind the suite's interface. */
import { type Message, Raft, type RaftDefaults, type TimerCommand, type TimerName } from '@quorate/raft';
import { ask, offerAsk } from '../ask.ts';
import type { LabEnvironment, Make, Peer, RaftServer, StartResult } from '../interface.ts';
import { Disk } from './disk.ts';
import { configurationOf, Driver, type Install, incarnationOf, labOptions, nameOf, newMemory } from './driver.ts';

/** Our Raft as a module for the suite; `options` replace what the suite's own limits suggest. */
export function quorateRaft(options: Partial<RaftDefaults> = {}): Make {
  return (peers, me, persister, apply, environment) => {
    const disk = new Disk(persister, configurationOf(peers.length));
    const own = { ...labOptions, ...options, id: nameOf(me), incarnation: incarnationOf(me) };
    return new QuorateServer(new Raft(own, disk.recovered()), disk, peers, environment, apply);
  };
}

class QuorateServer implements RaftServer {
  readonly isSynchronous: boolean;
  readonly isSharing = true;
  readonly #peers: readonly Peer[];
  readonly #environment: LabEnvironment;
  readonly #driver: Driver;
  readonly #timers = new Map<TimerName, () => void>();
  #isFlushDue = false;

  constructor(raft: Raft, disk: Disk, peers: readonly Peer[], environment: LabEnvironment, apply: Parameters<Make>[3]) {
    this.isSynchronous = offerAsk(peers);
    this.#peers = peers;
    this.#environment = environment;
    const host = {
      now: () => Math.round(environment.now() * 1000),
      call: (to: number, message: Message, args: Message | Install) => this.#call(to, message, args),
      arm: (timer: TimerCommand) => this.#arm(timer),
      apply,
    };
    this.#driver = new Driver(raft, disk, host, newMemory());
    // The first output arms the election timer; make() may not apply anything before it has returned.
    this.#flushSoon();
  }

  start(command: unknown): StartResult {
    const started = this.#driver.start(command);
    if (started.isLeader) this.#flushSoon();
    return started;
  }

  getState(): { readonly term: number; readonly isLeader: boolean } {
    return this.#driver.getState();
  }

  snapshot(index: number, data: Uint8Array): void {
    if (this.#driver.snapshot(index, data)) this.#flushSoon();
  }

  change(members: readonly number[]): boolean {
    return this.#driver.change(members);
  }

  kill(): void {
    this.#driver.isKilled = true;
    for (const cancel of this.#timers.values()) cancel();
  }

  /** What peers call: each kind of message. */
  preVote = (message: Message): Message | false => this.#driver.handle(message);
  requestVote = (message: Message): Message | false => this.#driver.handle(message);
  appendEntries = (message: Message): Message | false => this.#driver.handle(message);
  heartbeat = (message: Message): Message | false => this.#driver.handle(message);
  timeoutNow = (message: Message): Message | false => this.#driver.handle(message);
  installSnapshot = (install: Install): Message | false => this.#driver.handle(install);

  #flushSoon(): void {
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    this.#environment.after(
      0,
      () => {
        this.#isFlushDue = false;
        if (!this.#driver.isKilled) this.#driver.flush();
      },
      '',
    );
  }

  #arm(timer: TimerCommand): void {
    const { name, min, max } = timer;
    this.#timers.get(name)?.();
    this.#timers.delete(name);
    if (max === 0) return;
    const delay = (min + this.#environment.below(max - min + 1)) / 1000;
    this.#timers.set(
      name,
      this.#environment.after(delay, () => this.#driver.timeout(timer), name),
    );
  }

  #call(to: number, message: Message, args: Message | Install): void {
    const peer = this.#peers[to];
    if (peer === undefined) return;
    ask(peer, message.kind, args, (reply) => this.#driver.answered(message, reply as Message | false | null));
  }
}
