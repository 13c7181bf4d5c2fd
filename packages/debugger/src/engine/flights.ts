/** Which messages of a recording were on their way when: what a core sent, and another was handed. */
import type { Message } from '@quorate/raft';
import { describeMessage } from '@quorate/sim';
import type { SeenMessage } from './step-record.ts';
import type { MessageView } from './views.ts';

/** A message that nobody is handed for so long is taken for lost. Microseconds. */
const longestFlight = 30_000_000;
/** How long one that is lost is shown. */
const shownLost = 60_000;

interface Flight {
  readonly seen: SeenMessage;
  readonly sentStep: number;
  readonly sentAt: number;
  arrivedStep: number | null;
  arrivedAt: number | null;
}

/** All messages of a run, in the order of their sending. */
export class FlightList {
  readonly #all: Flight[] = [];

  get length(): number {
    return this.#all.length;
  }

  add(seen: SeenMessage, step: number, at: number): Flight {
    const flight: Flight = { seen, sentStep: step, sentAt: at, arrivedStep: null, arrivedAt: null };
    this.#all.push(flight);
    return flight;
  }

  /** Those on their way behind `step`, at `now`. */
  at(step: number, now: number): readonly MessageView[] {
    const views: MessageView[] = [];
    for (let at = this.#lastSentBy(step); at >= 0; at--) {
      const flight = this.#all[at];
      if (flight === undefined || now - flight.sentAt > longestFlight) break;
      const { seen, sentAt, arrivedStep, arrivedAt } = flight;
      const dueAt = arrivedAt ?? sentAt + shownLost;
      if (arrivedStep === null ? dueAt < now : arrivedStep <= step) continue;
      views.push({ ...seen, sentAt, dueAt });
    }
    return views;
  }

  /** The place of the last one that was sent by then. */
  #lastSentBy(step: number): number {
    let [low, high] = [0, this.#all.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#all[middle]?.sentStep ?? 0) <= step) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}

/** Finds for each message that a core was handed the one that another sent: by what they say, since recordings do not number them. */
export class Flights {
  readonly #all = new FlightList();
  /** By what they say: those that have not arrived, oldest first. */
  readonly #open = new Map<string, Flight[]>();
  /** By what they say: the last one that arrived. Networks double messages. */
  readonly #last = new Map<string, Flight>();

  sent(message: Message, step: number, at: number): SeenMessage {
    const { from, to, kind, term } = message;
    const seen = { id: this.#all.length + 1, from, to, kind, term, summary: describeMessage(message) };
    const flight = this.#all.add(seen, step, at);
    const same = this.#open.get(key(seen));
    if (same === undefined) this.#open.set(key(seen), [flight]);
    else same.push(flight);
    return seen;
  }

  /** The message that arrives, and the step that sent it: null where the recording began later, or is of another server. */
  arrived(
    message: Message,
    step: number,
    at: number,
  ): { readonly seen: SeenMessage; readonly sentStep: number | null } {
    const { from, to, kind, term } = message;
    const unknown = { id: 0, from, to, kind, term, summary: describeMessage(message) };
    const open = this.#open.get(key(unknown));
    for (let flight = open?.shift(); flight !== undefined; flight = open?.shift()) {
      if (at - flight.sentAt > longestFlight) continue;
      flight.arrivedStep = step;
      flight.arrivedAt = at;
      this.#last.set(key(unknown), flight);
      return { seen: flight.seen, sentStep: flight.sentStep };
    }
    const again = this.#last.get(key(unknown));
    if (again === undefined || at - again.sentAt > longestFlight) return { seen: unknown, sentStep: null };
    return { seen: again.seen, sentStep: again.sentStep };
  }

  at(step: number, now: number): readonly MessageView[] {
    return this.#all.at(step, now);
  }
}

function key({ from, to, kind, term, summary }: SeenMessage): string {
  return `${from}>${to} ${kind} ${term} ${summary}`;
}
