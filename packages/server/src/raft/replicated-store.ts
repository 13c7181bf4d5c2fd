import { continueApply as goOn, type KvStateMachine } from '@quorate/kv';
import {
  type CommittedCommand,
  continueApply,
  type SnapshotSink,
  type SnapshotSource,
  type StateMachine,
} from '@quorate/runtime';

/** The key-value state machine in the runtime's shape; neither of the two knows the other. */
export class ReplicatedStore implements StateMachine {
  readonly kind = 'memory';
  readonly #machine: KvStateMachine;

  constructor(machine: KvStateMachine) {
    this.#machine = machine;
  }

  appliedIndex(): number {
    return this.#machine.appliedIndex();
  }

  apply(command: CommittedCommand): unknown {
    const result = this.#machine.apply(command);
    return result === goOn ? continueApply : result;
  }

  openSnapshot(): SnapshotSource {
    return this.#machine.openSnapshot();
  }

  beginRestore(): SnapshotSink {
    return this.#machine.beginRestore();
  }
}
