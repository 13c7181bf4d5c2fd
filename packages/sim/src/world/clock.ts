/** Virtual time: nothing happens but by an event of this queue, so a run is a function of its seed. */
import { EventQueue, type QueuedEvent } from './event-queue.ts';

/** Later than any clock begins with 0: whoever takes 0 for "never" is found out. */
const BEGINNING = 1_000_000;

export class WorldClock {
  now = BEGINNING;
  /** Events carried out so far. */
  steps = 0;
  readonly #queue = new EventQueue();

  at(time: number, run: () => void): QueuedEvent {
    return this.#queue.add(time < this.now ? this.now : time, run);
  }

  after(delay: number, run: () => void): QueuedEvent {
    return this.#queue.add(this.now + delay, run);
  }

  cancel(event: QueuedEvent): void {
    event.run = null;
  }

  /** Carries out the next event; false if there is none before or at `end`, which is the time then. */
  step(end: number): boolean {
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
}
