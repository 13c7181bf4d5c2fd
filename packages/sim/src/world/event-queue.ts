/** Something that will happen. `run` is null once it has happened or was cancelled. */
export interface QueuedEvent {
  readonly at: number;
  readonly sequence: number;
  run: (() => void) | null;
}

/** Events by time; those of one moment in the order in which they were added. A binary heap. */
export class EventQueue {
  readonly #heap: QueuedEvent[] = [];
  #sequence = 0;

  get nextTime(): number {
    return this.#heap[0]?.at ?? Number.POSITIVE_INFINITY;
  }

  add(at: number, run: () => void): QueuedEvent {
    const event: QueuedEvent = { at, sequence: this.#sequence++, run };
    let position = this.#heap.push(event) - 1;
    while (position > 0) {
      const above = (position - 1) >> 1;
      const parent = this.#heap[above];
      if (parent === undefined || isBefore(parent, event)) break;
      this.#heap[position] = parent;
      position = above;
    }
    this.#heap[position] = event;
    return event;
  }

  take(): QueuedEvent | null {
    const first = this.#heap[0];
    const last = this.#heap.pop();
    if (first === undefined || last === undefined) return null;
    if (this.#heap.length > 0) this.#sink(last);
    return first;
  }

  #sink(event: QueuedEvent): void {
    let position = 0;
    for (;;) {
      let child = position * 2 + 1;
      const left = this.#heap[child];
      const right = this.#heap[child + 1];
      if (left === undefined) break;
      if (right !== undefined && isBefore(right, left)) child += 1;
      const smaller = this.#heap[child];
      if (smaller === undefined || isBefore(event, smaller)) break;
      this.#heap[position] = smaller;
      position = child;
    }
    this.#heap[position] = event;
  }
}

function isBefore(a: QueuedEvent, b: QueuedEvent): boolean {
  return a.at !== b.at ? a.at < b.at : a.sequence < b.sequence;
}
