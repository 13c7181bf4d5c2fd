/** What a turn (turn.ts) takes from the world around it, and what it gives back. */
import type { Input, Message, Micros, Output, PersistBatch, Raft, RaftOptions } from '@quorate/raft';
import type { AppliedEntry, WorldWatcher } from '../watch.ts';
import type { Span } from './options.ts';
import type { CoreServer } from './server.ts';

/** What a turn needs of the world around it. */
export interface Surroundings {
  readonly now: Micros;
  readonly options: RaftOptions;
  readonly core: typeof Raft;
  readonly disk: 'steps' | 'atOnce';
  readonly apply: 'steps' | 'atOnce';
  /** Null where there is no clock: then everything is due at 0. */
  readonly delays: { readonly write: Span; readonly apply: Span } | null;
  /** Draws from [min, max]. */
  draw(span: Span): Micros;
  readonly watchers: readonly WorldWatcher[];
  /** The core of this server, if it lives on from step to step: for watchers who hold on to it. */
  readonly live: Raft | null;
}

/** What came of a turn. */
export interface Turned {
  readonly server: CoreServer;
  /** The core that was stepped; null if there is none any more. */
  readonly raft: Raft | null;
  readonly inputs: readonly Input[];
  readonly outputs: readonly Output[];
  /** Messages that left, in order. */
  readonly sent: readonly Message[];
  readonly durable: readonly PersistBatch[];
  readonly applied: readonly AppliedEntry[];
  /** What this server did that no server may, seen at this server alone; null for nothing. */
  readonly broken: Broken | null;
}

/** An invariant that does not hold: its id in docs/invariants.md, and the two facts that contradict each other. */
export interface Broken {
  readonly invariant: string;
  readonly first: string;
  readonly second: string;
}
