/** What happened to the cores of a cluster, in one order: of real servers, or of a simulated world of whole nodes. */
import type { Input, Raft, RaftOptions } from '@quorate/raft';
import type { ViolationView } from './protocol.ts';

export interface Recording {
  readonly title: string;
  readonly servers: readonly string[];
  readonly events: readonly RecordedEvent[];
  /** Whether the invariants were asked when it was made. */
  readonly isJudged: boolean;
  /** What its last event breaks; null for nothing. */
  readonly violation: Omit<ViolationView, 'step'> | null;
  readonly remark: string | null;
}

/** `at`: microseconds since the beginning, never falling. `takes`: how often the core was asked then what it wants done. */
export type RecordedEvent = { readonly at: number; readonly server: string } & (
  | { readonly kind: 'start'; readonly options: RaftOptions; begin(): Raft; readonly takes: number }
  | { readonly kind: 'input'; readonly input: Input; readonly takes: number }
  | { readonly kind: 'stop'; readonly reason: string }
);

/** Events beyond it are left out: a page holds a record of each. */
export const maxEvents = 100_000;

/** One time for all servers: each clock counts on from where the others were when it began. */
export class CommonTime {
  #at = 0;
  readonly #offsets = new Map<string, number>();

  /** The server starts, and what its clock shows is not known before its first input. */
  restart(server: string): number {
    this.#offsets.delete(server);
    return this.#at;
  }

  /** The server's clock shows `now` as it starts. */
  begin(server: string, now: number): number {
    this.#offsets.set(server, this.#at - now);
    return this.#at;
  }

  of(server: string, now: number): number {
    const offset = this.#offsets.get(server);
    if (offset === undefined) return this.begin(server, now);
    this.#at = Math.max(this.#at, now + offset);
    return this.#at;
  }
}
