/** What happened to the cores of a cluster, in one order: of real servers, or of a simulated world of whole nodes. */
import type { Input, Raft, RaftOptions } from '@quorate/raft';
import type { ActionKind } from '@quorate/sim';
import type { PendingItem, Source, ViolationView } from './protocol.ts';
import type { RecordedHistory } from './recorded-history.ts';
import type { CutView } from './views.ts';

export interface Recording {
  readonly source: Source;
  readonly title: string;
  readonly servers: readonly string[];
  readonly events: readonly RecordedEvent[];
  /** Why the invariants were not asked when it was made; null if they were. */
  readonly unjudged: string | null;
  /** What its last event breaks; null for nothing. */
  readonly violation: Omit<ViolationView, 'step'> | null;
  readonly remark: string | null;
  /** What clients asked and were told; or in words why nobody knows. */
  readonly history: RecordedHistory | string;
  /** How it goes another way; or in words why it cannot. */
  readonly forking: Forking | string;
}

/** A run that can be made again with another decision in it. Steps are behind how many events that is. */
export interface Forking {
  /** What can be done behind `step`, as far as what is known of the servers there tells. */
  choices(step: number): readonly PendingItem[];
  /** The run as a trace: text for a file. */
  trace(): string;
  /** The run with that done behind `step`. Throws in words for a person where it cannot be. */
  fork(step: number, deed: Deed): Fork;
}

/** What a person decides in a world of whole nodes. */
export type Deed =
  /** The adversary does these as well, one after the other. */
  | { readonly kind: 'add'; readonly name: string; readonly actions: readonly ActionKind[] }
  /** It leaves out what it does in that step. */
  | { readonly kind: 'leaveOut'; readonly step: number };

export interface Fork {
  readonly recording: Recording;
  /** Up to here both are the same. */
  readonly forkAt: number;
  readonly name: string;
}

/** `at`: microseconds, never falling. `takes`: how often the core was asked then what it wants done. */
export type RecordedEvent = { readonly at: number } & (
  | {
      readonly kind: 'start';
      readonly server: string;
      readonly options: RaftOptions;
      begin(): Raft;
      readonly takes: number;
    }
  | { readonly kind: 'input'; readonly server: string; readonly input: Input; readonly takes: number }
  /** `isOwn`: it stopped by itself. */
  | { readonly kind: 'stop'; readonly server: string; readonly reason: string; readonly isOwn: boolean }
  /** Something was done to a server, or to the network; `fault` is its name among the adversary's actions, or `calm`. */
  | {
      readonly kind: 'fault';
      readonly server: string | null;
      readonly fault: ActionKind['kind'] | 'calm';
      readonly title: string;
      /** The link that is cut by it; null for none. */
      readonly cut: CutView | null;
    }
);

/** Events beyond it are left out: a page holds a record of each. */
export const maxEvents = 100_000;

/** One time for all servers: each clock counts on from where the others were when it began. */
export class CommonTime {
  #at = 0;
  readonly #offsets = new Map<string, number>();

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
