import type { Output } from '@quorate/raft';
import type { Action } from '../world/action.ts';

/** Who hurts a world. */
export interface Adversary {
  /** What it has done so far. */
  readonly actions: readonly Action[];
  start(): void;
  /** Does nothing further; what it began to repair it leaves to others. */
  stop(): void;
  /** A server handed something to its disk. */
  onOutput(server: string, output: Output): void;
  /** A server stopped by itself. */
  onFatal(server: string): void;
}
