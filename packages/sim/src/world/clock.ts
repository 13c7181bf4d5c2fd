/** Virtual time: nothing happens but by an event of this queue, so a run is a function of its seed. */
import { EventQueue, type QueuedEvent } from './event-queue.ts';

/** Later than any clock begins with 0: whoever takes 0 for "never" is found out. */
const BEGINNING = 1_000_000;

/** What is to happen between two events of the world: not before `at`, and of the events at that moment behind so many steps. */
export interface Interlude {
  readonly at: number;
  readonly step: number;
  readonly run: () => void;
}

export class WorldClock {
  now = BEGINNING;
  /** Events of the world carried out so far; what an adversary does is none. */
  steps = 0;
  /** What happens between events, sorted by time. */
  interludes: Interlude[] = [];
  readonly #queue = new EventQueue();

  at(time: number, run: () => void): QueuedEvent {
    return this.#queue.add(time < this.now ? this.now : time, run);
  }

  after(delay: number, run: () => void): QueuedEvent {
    return this.#queue.add(this.now + delay, run);
  }

  /** The same for an adversary, who is not of this world: its events are no steps. */
  afterFromOutside(delay: number, run: () => void): void {
    this.after(delay, () => {
      this.steps--;
      run();
    });
  }

  cancel(event: QueuedEvent): void {
    event.run = null;
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
    const { run } = event;
    if (run === null) return true;
    this.now = event.at;
    event.run = null;
    this.steps++;
    run();
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
