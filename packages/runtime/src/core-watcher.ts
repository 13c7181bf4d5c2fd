/**
 * Sees everything that enters and leaves a core, in order: for recorders and for those who check it. What it is handed is shared
 * with the core and must be read at once, never changed; what it throws stops the node.
 */
import type { Input, Message, Output, Raft, RaftOptions, RecoveredState } from '@quorate/raft';

export interface CoreWatcher {
  /** The core begins its life, before its first input. */
  onStart(life: CoreLife): void;
  /** Right before the core handles `input`: seen even when the core breaks over it. */
  onStep?(input: Input): void;
  /** Right after the core handled `input`. */
  onInput(input: Input): void;
  /** Right after `output` was taken. */
  onOutput(output: Output): void;
  /** A message goes to the transport: whatever it had to wait for is durable. */
  onSend(message: Message): void;
  /** The core will not be stepped again, whatever the reason; the disk is still open. */
  onStop?(): void;
}

export interface CoreLife {
  readonly options: RaftOptions;
  readonly recovered: RecoveredState;
  /** To be read, never stepped. */
  readonly raft: Raft;
}
