import type { Disk, Environment, Logger, LogLevel, RandomSource, Timers } from '@quorate/runtime';
import { EventQueue, type QueuedEvent } from './event-queue.ts';
import { VirtualNetwork } from './virtual-network.ts';

/** One line that a server logged. */
export interface LogLine {
  readonly at: number;
  readonly server: string;
  readonly level: LogLevel;
  readonly message: string;
}

/** Wraps what happens to one server, so that it happens only while the server lives and runs. */
export type Guard = (run: () => void) => () => void;

/** A small, fast generator with a seed (mulberry32). */
export function seededRandom(seed: number): RandomSource {
  let state = seed >>> 0;
  return {
    uint32() {
      state = (state + 0x6d2b79f5) >>> 0;
      let mixed = Math.imul(state ^ (state >>> 15), state | 1);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
      return (mixed ^ (mixed >>> 14)) >>> 0;
    },
  };
}

/**
 * Time, chance and a network for whole clusters in one process. Nothing happens but by an event of its queue, so a run is a
 * function of the seed.
 */
export class VirtualWorld {
  readonly random: RandomSource;
  readonly network: VirtualNetwork;
  readonly lines: LogLine[] = [];
  now = 1_000_000;
  readonly #queue = new EventQueue();
  /** Servers whose process stands still, with what waits for them. */
  readonly #frozen = new Map<string, (() => void)[]>();

  constructor(seed: number) {
    this.random = seededRandom(seed);
    this.network = new VirtualNetwork(this);
  }

  at(time: number, run: () => void): QueuedEvent {
    return this.#queue.add(time, run);
  }

  after(delay: number, run: () => void): QueuedEvent {
    return this.at(this.now + delay, run);
  }

  /** Runs until `condition` holds; throws if it does not within `limit` microseconds of virtual time. */
  async until(condition: () => boolean, what: string, limit = 60_000_000): Promise<void> {
    const end = this.now + limit;
    while (!condition()) {
      if (this.now > end || !this.#next()) throw new Error(`Waited in vain for: ${what}\n${this.#lastLines()}`);
      await settled();
    }
  }

  /** Lets that much virtual time pass. */
  async run(duration: number): Promise<void> {
    const end = this.now + duration;
    while (this.#queue.nextTime <= end) {
      this.#next();
      await settled();
    }
    this.now = end;
  }

  /** The world as one server sees it. What it set in motion is carried out only while `isAlive`. */
  environment(server: string, disk: Disk, isAlive: () => boolean): Environment {
    const guard = this.#guard(server, isAlive);
    return {
      clock: { now: () => this.now, wallTime: () => Math.floor(this.now / 1000) },
      timers: this.#timers(guard),
      random: this.random,
      disk,
      network: this.network.of(server, guard),
      logger: this.#logger(server),
    };
  }

  /** The server's process stands still: nothing that happens reaches it until `thaw`. */
  freeze(server: string): void {
    if (!this.#frozen.has(server)) this.#frozen.set(server, []);
  }

  /** It goes on: what came meanwhile is delivered in the order in which it came. */
  thaw(server: string): void {
    const waiting = this.#frozen.get(server) ?? [];
    this.#frozen.delete(server);
    for (const run of waiting) this.after(0, run);
  }

  logged(pattern: RegExp): readonly LogLine[] {
    return this.lines.filter((line) => pattern.test(line.message));
  }

  #next(): boolean {
    const event = this.#queue.take();
    if (event === null) return false;
    this.now = Math.max(this.now, event.at);
    const { run } = event;
    event.run = null;
    run?.();
    return true;
  }

  #guard(server: string, isAlive: () => boolean): Guard {
    return (run) => {
      const guarded = (): void => {
        const waiting = this.#frozen.get(server);
        if (waiting !== undefined) waiting.push(guarded);
        else if (isAlive()) run();
      };
      return guarded;
    };
  }

  #timers(guard: Guard): Timers {
    return {
      set: (delay, callback) => this.after(delay, guard(callback)),
      clear: (handle) => {
        (handle as QueuedEvent).run = null;
      },
      // Whatever is queued for this very moment comes first.
      afterPoll: (callback) => {
        this.after(0, guard(callback));
      },
    };
  }

  #logger(server: string): Logger {
    return {
      log: (level, message) => {
        this.lines.push({ at: this.now, server, level, message });
      },
    };
  }

  #lastLines(): string {
    return this.lines
      .slice(-20)
      .map((line) => `${line.at} ${line.server} ${line.level} ${line.message}`)
      .join('\n');
  }
}

/** Lets promises that the last event resolved run. */
async function settled(): Promise<void> {
  for (let round = 0; round < 3; round++) await Promise.resolve();
}
