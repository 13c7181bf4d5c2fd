/**
 * Ends a test whose servers call each other without end. In virtual time a call takes two tenths of a millisecond, so a server that asks
 * again as soon as it is refused makes millions of calls before anything else is due. Nothing is drawn here: with a seed a test always
 * ends at the same call.
 */
import { unwrapped } from '../record/calls.ts';
import { ScenarioFailure } from './failure.ts';

/** Calls a virtual second that are allowed to each server. Heartbeats, elections and logs that are backed up entry by entry take less than 20. */
const CALLS_A_SECOND = 500;
/** Seconds of those that a test begins with, so that no burst at the beginning is too much. */
const SECONDS_AT_FIRST = 10;
/** Calls that each command allows to each server, behind the first server that applied it. One for every command and follower is less than 1. */
const CALLS_A_COMMAND = 10;

export class CallLimit {
  readonly #servers: number;
  /** Milliseconds. */
  readonly #now: () => number;
  /** By what was called, from whom, and to whom. */
  readonly #calls = new Map<string, Map<string, number>[]>();
  #count = 0;
  #commands = 0;
  #highest = 0;

  constructor(servers: number, now: () => number) {
    this.#servers = servers;
    this.#now = now;
  }

  /** A server has applied up to here: what clients get done costs calls, and may. */
  applied(index: number): void {
    if (index <= this.#highest) return;
    this.#highest = index;
    this.#commands += 1;
  }

  /**
   * To be told of each call of a server that can reach whom it calls: others take so long to fail that nobody makes too many. Returns what
   * ends the test; null if there are not too many.
   */
  called(from: number, to: string, method: string, args: unknown): ScenarioFailure | null {
    this.#count += 1;
    const meant = unwrapped(method, args).method;
    let calls = this.#calls.get(meant);
    if (calls === undefined) {
      calls = Array.from({ length: this.#servers }, () => new Map<string, number>());
      this.#calls.set(meant, calls);
    }
    calls[from]?.set(to, (calls[from].get(to) ?? 0) + 1);
    return this.#count <= this.#allowed() ? null : new ScenarioFailure(this.#tell());
  }

  #allowed(): number {
    const seconds = SECONDS_AT_FIRST + this.#now() / 1000;
    return Math.floor(this.#servers * (CALLS_A_SECOND * seconds + CALLS_A_COMMAND * this.#commands));
  }

  #tell(): string {
    const counts = [...this.#calls].flatMap(([method, calls]) =>
      calls.flatMap((of, from) =>
        [...of].map(([to, times]) => ({ what: `${method} of server ${from} to server ${to}`, times })),
      ),
    );
    const most = counts.reduce((a, b) => (b.times > a.times ? b : a));
    return (
      `the servers sent ${this.#count} calls in ${(this.#now() / 1000).toFixed(1)} virtual seconds and applied ${this.#commands} commands; ` +
      `a limit of ${this.#allowed()} ends the test (${CALLS_A_SECOND} a second and ${CALLS_A_COMMAND} a command for each server). ` +
      `Most often: ${most.what}, ${most.times} times. As a rule what is refused is asked again at once, though nothing has changed: ` +
      'go on at once where the answer has moved something (a smaller nextIndex), and wait for the next heartbeat where not'
    );
  }
}
