/** No more are kept. */
const MAX_EVENTS = 100;

/** What has happened, newest last, each with the time of day. */
export class EventList {
  readonly #events: string[] = [];
  readonly #onEvent: ((line: string) => void) | null;

  constructor(onEvent: ((line: string) => void) | null = null) {
    this.#onEvent = onEvent;
  }

  add(text: string): void {
    const line = `${new Date().toTimeString().slice(0, 8)} ${text}`;
    this.#events.push(line);
    if (this.#events.length > MAX_EVENTS) this.#events.shift();
    this.#onEvent?.(line);
  }

  get all(): readonly string[] {
    return this.#events;
  }
}
