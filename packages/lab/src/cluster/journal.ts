/** The last things that happened, for whoever must find out why a scenario failed. */
import type { LabRecorder } from '../record/recorder.ts';

/** Events that a report shows of each server. */
const KEPT = 40;

export interface JournalEvent {
  /** Milliseconds since the beginning. */
  readonly at: number;
  readonly text: string;
}

export class Journal {
  /** Keeps all of it, in a form that can be walked about in; null where nobody asked for that. */
  readonly recorder: LabRecorder | null;
  readonly #now: () => number;
  readonly #events = new Map<number, JournalEvent[]>();
  readonly #steps: JournalEvent[] = [];

  constructor(now: () => number, recorder: LabRecorder | null = null) {
    this.#now = now;
    this.recorder = recorder;
  }

  /** Something happened at a server. */
  note(server: number, text: string): void {
    const events = this.#events.get(server) ?? [];
    this.#events.set(server, events);
    events.push({ at: this.#now(), text });
    if (events.length > 2 * KEPT) events.splice(0, KEPT);
  }

  /** The scenario goes on to its next step. */
  step(text: string): void {
    this.recorder?.note(null, { kind: 'step', text });
    this.#steps.push({ at: this.#now(), text });
    if (this.#steps.length > 2 * KEPT) this.#steps.splice(0, KEPT);
  }

  get steps(): readonly JournalEvent[] {
    return this.#steps.slice(-KEPT);
  }

  /** By server, each oldest first. */
  get events(): ReadonlyMap<number, readonly JournalEvent[]> {
    return new Map([...this.#events].toSorted(([a], [b]) => a - b).map(([server, all]) => [server, all.slice(-KEPT)]));
  }
}
