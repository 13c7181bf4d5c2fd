/** `--debug`: one line an event, by topic, switchable while the server runs. A topic that is off costs one property read. */
import { type DebugTopic, debugTopics, type Observer } from '@quorate/runtime';
import type { LineSink } from './line-sink.ts';

export class DebugTopics implements Observer {
  readonly on: Record<DebugTopic, boolean>;
  readonly #server: string;
  readonly #format: 'text' | 'json';
  readonly #sink: LineSink;
  readonly #now: () => number;
  readonly #started: number;

  /** `now`: monotonic microseconds; lines show the time since this was made. */
  constructor(server: string, format: 'text' | 'json', sink: LineSink, now: () => number) {
    this.#server = server;
    this.#format = format;
    this.#sink = sink;
    this.#now = now;
    this.#started = now();
    this.on = { votes: false, heartbeats: false, connections: false, reads: false, writes: false, state: false };
  }

  /** Exactly these topics are printed from now on. */
  set(topics: readonly DebugTopic[]): void {
    for (const topic of debugTopics) this.on[topic] = topics.includes(topic);
  }

  get topics(): readonly DebugTopic[] {
    return debugTopics.filter((topic) => this.on[topic]);
  }

  line(topic: DebugTopic, text: string): void {
    const seconds = ((this.#now() - this.#started) / 1e6).toFixed(6);
    const line =
      this.#format === 'json'
        ? JSON.stringify({ topic, server: this.#server, elapsed: Number(seconds), msg: text })
        : `${topic} ${this.#server} ${seconds}s ${text}`;
    this.#sink.line(line);
  }
}
