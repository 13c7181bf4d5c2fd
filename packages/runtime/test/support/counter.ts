import type { CommittedCommand, SnapshotSink, SnapshotSource, StateMachine } from '@quorate/runtime';

export interface CounterResult {
  readonly index: number;
  readonly sum: number;
}

/** A state machine that remembers every command in order: enough to see loss, repetition and divergence. */
export class Journal implements StateMachine<CounterResult> {
  readonly kind = 'memory';
  /** The commands applied so far, as text. */
  commands: string[] = [];
  #applied = 0;
  restores = 0;

  appliedIndex(): number {
    return this.#applied;
  }

  apply(command: CommittedCommand): CounterResult {
    this.#applied = command.index;
    this.commands.push(new TextDecoder().decode(command.data));
    return { index: command.index, sum: this.commands.length };
  }

  openSnapshot(): SnapshotSource {
    const pinned = [...this.commands];
    const applied = this.#applied;
    let isFirst = true;
    return {
      next: () => {
        if (isFirst) {
          isFirst = false;
          return new TextEncoder().encode(JSON.stringify({ applied }));
        }
        const part = pinned.splice(0, 100);
        return part.length === 0 ? null : new TextEncoder().encode(JSON.stringify(part));
      },
      close: () => undefined,
    };
  }

  beginRestore(): SnapshotSink {
    const parts: string[] = [];
    let isFirst = true;
    return {
      write: (slice) => {
        const value: unknown = JSON.parse(new TextDecoder().decode(slice));
        if (!isFirst && Array.isArray(value)) parts.push(...(value as string[]));
        isFirst = false;
      },
      finish: (index) => {
        this.commands = parts;
        this.#applied = index;
        this.restores++;
      },
      abort: () => undefined,
    };
  }
}

export function command(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
