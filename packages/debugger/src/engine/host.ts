/** What the engine needs of the place where it runs: a worker, or a test. */
import type { Raft } from '@quorate/raft';

export interface Host {
  /** Tells how far something is that takes long. */
  progress(text: string): void;
  /** Lets whatever waits come in, the wish to end first of all. */
  breathe(): Promise<void>;
  isCancelled(): boolean;
  /** Text, made small, in characters that an address may hold; and back. The second rejects for what the first never made. */
  pack(text: string): Promise<string>;
  unpack(packed: string): Promise<string>;
  /** The core with that mistake in it (packages/sim/mutants); null where it is not at hand. */
  core(mutant: string): Promise<typeof Raft | null>;
}
