import type { Message, Output } from '@quorate/raft';
import type { Action } from '../world/action.ts';

/** Who hurts a world. */
export interface Adversary {
  /** What it has done so far. */
  readonly actions: readonly Action[];
  /** Nothing is left to do, so the world may heal before its time. */
  readonly isDone?: boolean;
  start(): void;
  /** Does nothing further; what it began to repair it leaves to others. */
  stop(): void;
  /** A server handed something to its disk. */
  onOutput(server: string, output: Output): void;
  /** A message leaves. */
  onSend?(server: string, message: Message): void;
  /** A server stopped by itself; `message` says why. */
  onFatal(server: string, message: string): void;
}
