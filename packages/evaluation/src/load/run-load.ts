/** Carries out a load plan in this process. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type RandomStream, randomStream } from '@quorate/sim';
import { ClientDoors } from './client-doors.ts';
import type { Doors } from './doors.ts';
import { type LoadPlan, type LoadResult, MAX_OUTSTANDING } from './plan.ts';
import { RawDoors } from './raw-doors.ts';
import { Tally } from './tally.ts';

/** Rest after a failure, so that servers which are away are not asked a million times. */
const REST_MS = 10;
const TICK_MS = 1;

/** `stop` ends it early. `onBegun` is told when the measured time begins, as soon as that is known: milliseconds since 1970. */
export async function runLoad(plan: LoadPlan, stop: AbortSignal, onBegun: (time: number) => void): Promise<LoadResult> {
  const doors = plan.generator === 'raw' ? new RawDoors(plan) : await ClientDoors.open(plan);
  try {
    return await new Load(plan, doors, stop).run(onBegun);
  } finally {
    await doors.close();
  }
}

class Load {
  readonly #plan: LoadPlan;
  readonly #doors: Doors;
  readonly #stop: AbortSignal;
  readonly #random: RandomStream;
  readonly #tally: Tally;
  #sent = 0;
  #outstanding = 0;

  constructor(plan: LoadPlan, doors: Doors, stop: AbortSignal) {
    this.#plan = plan;
    this.#doors = doors;
    this.#stop = stop;
    this.#random = randomStream(plan.seed, 'load');
    this.#tally = new Tally(plan.intervalMs);
  }

  async run(onBegun: (time: number) => void): Promise<LoadResult> {
    const { pace, seconds, warmUpSeconds } = this.#plan;
    const start = performance.now();
    const began = start + warmUpSeconds * 1000;
    const ends = began + seconds * 1000;
    const before = process.cpuUsage();
    this.#tally.window(began, ends);
    onBegun(performance.timeOrigin + began);
    this.#stop.addEventListener('abort', () => this.#tally.cut(performance.now()), { once: true });
    if (pace.kind === 'closed') {
      await Promise.all(Array.from({ length: pace.clients }, (_, at) => this.#closed(at, ends)));
    } else {
      await this.#open(pace.perSecond, start, ends);
    }
    const { user, system } = process.cpuUsage(before);
    return this.#tally.result((user + system) / Math.max(1, this.#sent), this.#doors.servers);
  }

  #isOver(ends: number): boolean {
    return this.#stop.aborted || performance.now() >= ends;
  }

  async #closed(at: number, ends: number): Promise<void> {
    for (let turn = at; !this.#isOver(ends); turn++) {
      const answered = await this.#one(turn, performance.now());
      if (!answered) await sleep(REST_MS);
    }
  }

  /** In ticks of a millisecond: what is due in a tick leaves together, and its latency counts from the tick. */
  async #open(perSecond: number, start: number, ends: number): Promise<void> {
    const under: Set<Promise<unknown>> = new Set();
    const ticks = Math.round((ends - start) / TICK_MS);
    let due = 0;
    for (let number = 0; number < ticks && !this.#stop.aborted; number++) {
      const tick = start + number * TICK_MS;
      const early = tick - performance.now();
      if (early > 0) await sleep(early);
      this.#tally.late(performance.now() - tick, tick);
      for (const to = Math.floor(((number + 1) * TICK_MS * perSecond) / 1000); due < to; due++) {
        if (this.#outstanding >= MAX_OUTSTANDING) {
          this.#tally.overflow(tick);
          continue;
        }
        const call = this.#one(due, tick);
        under.add(call);
        // One that fails as no answer of a server does stays, and fails the load at its end.
        call.then(
          () => under.delete(call),
          () => undefined,
        );
      }
    }
    await Promise.all(under);
  }

  /** `turn`: whose turn it is among the servers. `intended`: when it was to be sent. Whether it was answered. */
  async #one(turn: number, intended: number): Promise<boolean> {
    const isRead = this.#random.below(100) < this.#plan.readPercent;
    const key = this.#random.below(this.#plan.keys);
    const door = this.#doors.at(turn);
    this.#sent += 1;
    this.#outstanding += 1;
    try {
      const outcome = await (isRead ? door.read(key) : door.write(key));
      if (outcome === 'answered') this.#tally.answered(isRead, intended, performance.now(), door.server);
      else this.#tally.failed(outcome === 'unknown', intended);
      return outcome === 'answered';
    } finally {
      this.#outstanding -= 1;
    }
  }
}
