/** Something that will happen, once, in one queue. What happens often has a class of its own: closures that run once are dear. */
export abstract class QueuedEvent {
  at = 0;
  sequence = 0;
  /** Behind it in the lane. */
  next: QueuedEvent | null = null;
  /** It has happened, or never will. */
  isOver = false;

  abstract happen(): void;
}

/**
 * Events by time; those of one moment in the order in which they were added. A binary heap, and beside it a lane for what is added for
 * the very moment of the event that was taken last: half of all events are, and stand in order by themselves.
 */
export class EventQueue<Event extends QueuedEvent = QueuedEvent> {
  readonly #heap: Event[] = [];
  #laneFirst: Event | null = null;
  #laneLast: Event | null = null;
  /** That of the event that was taken last. */
  #moment = Number.NEGATIVE_INFINITY;
  #sequence = 0;

  get nextTime(): number {
    return this.#first()?.at ?? Number.POSITIVE_INFINITY;
  }

  /** Whatever waits in the heap, over or not. */
  get size(): number {
    return this.#heap.length;
  }

  add(at: number, event: Event): void {
    event.at = at;
    event.sequence = this.#sequence++;
    if (at === this.#moment && (this.#laneLast === null || this.#laneLast.at === at)) this.#line(event);
    else this.#rise(event);
  }

  take(): Event | null {
    const event = this.#first();
    if (event === null) return null;
    this.#moment = event.at;
    if (event === this.#laneFirst) this.#leaveLane(event);
    else this.#removeTop();
    return event;
  }

  /** Takes out those of the heap that are over, and returns how many. For whoever adds much that never happens. */
  sweep(): number {
    const before = this.#heap.length;
    const live = this.#heap.filter(({ isOver }) => !isOver);
    this.#heap.length = 0;
    for (const event of live) this.#rise(event);
    return before - live.length;
  }

  #first(): Event | null {
    const top = this.#heap[0];
    const next = this.#laneFirst;
    if (next === null) return top ?? null;
    return top !== undefined && isBefore(top, next) ? top : next;
  }

  #line(event: Event): void {
    if (this.#laneLast === null) this.#laneFirst = event;
    else this.#laneLast.next = event;
    this.#laneLast = event;
  }

  #leaveLane(event: Event): void {
    // Only `#line` sets it, to another of this queue's own.
    this.#laneFirst = event.next as Event | null;
    event.next = null;
    if (this.#laneFirst === null) this.#laneLast = null;
  }

  #rise(event: Event): void {
    let position = this.#heap.push(event) - 1;
    while (position > 0) {
      const above = (position - 1) >> 1;
      const parent = this.#heap[above];
      if (parent === undefined || isBefore(parent, event)) break;
      this.#heap[position] = parent;
      position = above;
    }
    this.#heap[position] = event;
  }

  #removeTop(): void {
    const last = this.#heap.pop();
    if (last !== undefined && this.#heap.length > 0) this.#sink(last);
  }

  #sink(event: Event): void {
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
