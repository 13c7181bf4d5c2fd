/** Virtual time: nothing happens but by an event of this queue, so a run is a function of its seed. */
import { EventQueue, QueuedEvent } from './event-queue.ts';
import type { LifeGuard } from './guard.ts';

/** Later than any clock begins with 0: whoever takes 0 for "never" is found out. */
const BEGINNING = 1_000_000;

/** What is to happen between two events of the world: not before `at`, and of the events at that moment behind so many steps. */
export interface Interlude {
  readonly at: number;
  readonly step: number;
  readonly run: () => void;
}

/** Calls somebody: a server through its guard, or whatever is no server. */
class QueuedCall extends QueuedEvent {
  readonly #run: () => void;
  readonly #guard: LifeGuard | null;

  constructor(run: () => void, guard: LifeGuard | null) {
    super();
    this.#run = run;
    this.#guard = guard;
  }

  override happen(): void {
    if (this.#guard === null) this.#run();
    else this.#guard.run(this.#run);
  }
}

export class WorldClock {
  now = BEGINNING;
  /** Events of the world carried out so far; what an adversary does is none. */
  steps = 0;
  /** What happens between events, sorted by time. */
  interludes: Interlude[] = [];
  readonly #queue = new EventQueue();

  at(time: number, run: () => void): void {
    this.schedule(time, new QueuedCall(run, null));
  }

  /** With a guard: what happens to that life of a server. */
  after(delay: number, run: () => void, guard: LifeGuard | null = null): QueuedEvent {
    const event = new QueuedCall(run, guard);
    this.schedule(this.now + delay, event);
    return event;
  }

  schedule(time: number, event: QueuedEvent): void {
    this.#queue.add(time < this.now ? this.now : time, event);
  }

  /** The same for an adversary, who is not of this world: its events are no steps. */
  afterFromOutside(delay: number, run: () => void): void {
    this.after(delay, () => {
      this.steps--;
      run();
    });
  }

  cancel(event: QueuedEvent): void {
    event.isOver = true;
  }

  /** Carries out the next event; false if there is none before or at `end`, which is the time then. */
  step(end: number): boolean {
    if (this.interludes.length > 0) this.#runInterludes(end);
    if (this.#queue.nextTime > end) {
      this.now = Math.max(this.now, end);
      return false;
    }
    const event = this.#queue.take();
    if (event === null) return false;
    if (event.isOver) return true;
    this.now = event.at;
    event.isOver = true;
    this.steps++;
    event.happen();
    return true;
  }

  #runInterludes(end: number): void {
    for (let next = this.interludes[0]; next !== undefined && next.at <= end; next = this.interludes[0]) {
      const { nextTime } = this.#queue;
      if (nextTime < next.at || (nextTime === next.at && this.steps < next.step)) return;
      this.interludes.shift();
      this.now = Math.max(this.now, next.at);
      next.run();
    }
  }
}
