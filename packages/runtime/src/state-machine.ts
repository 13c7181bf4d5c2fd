/** The embedder's side: what a replicated state machine must offer. */
import type { Index, Term } from '@quorate/raft';

/** A command that is committed and now takes effect. */
export interface CommittedCommand {
  readonly index: Index;
  readonly term: Term;
  readonly data: Uint8Array;
}

/** The answer of `apply` that asks to be called again with the same command, after other events had their turn. */
export const continueApply: unique symbol = Symbol('continue');

/**
 * A deterministic state machine. Every replica applies the same commands in the same order and must arrive at the same
 * state: no clocks, no chance, no input besides the command.
 *
 * - `memory`: its state lives in memory and is rebuilt from the newest snapshot and the log at every start.
 * - `durable`: it keeps its own state on disk. It is told to apply only what is durable in this server's own log, and says
 *   at start how far it got.
 */
export interface StateMachine<Result = unknown> {
  readonly kind: 'memory' | 'durable';
  /** The last command whose effect the state holds; 0 before the first. For `memory`, read after a restore only. */
  appliedIndex(): Index;
  /**
   * Applies one command and returns what the proposer gets. May work for at most a few milliseconds at a time and return
   * `continueApply` to be called again. Must not throw: a throw is a broken state machine and stops the server.
   */
  apply(command: CommittedCommand): Result | typeof continueApply;
  /** Pins the present state for a snapshot. Later commands must not show in it. */
  openSnapshot(): SnapshotSource;
  /** Begins to replace the whole state by a snapshot's; takes effect at `finish`. */
  beginRestore(): SnapshotSink;
}

/** A pinned state, read in slices. */
export interface SnapshotSource {
  /** The next slice (64 KiB to 1 MiB is a good size), or null at the end. Each call works for at most a few milliseconds. */
  next(): Uint8Array | null;
  /** Unpins. Called exactly once, also when the snapshot is abandoned. */
  close(): void;
}

export interface SnapshotSink {
  /** Takes the next slice, cut as `SnapshotSource.next` made them. Throws an Error that says what is wrong with it. */
  write(slice: Uint8Array): void;
  /** All slices have come: switch to the new state. Throws if it is incomplete. */
  finish(index: Index): void;
  /** Forget what came. */
  abort(): void;
}
