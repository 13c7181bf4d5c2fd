import { continueApply, type CommandResult, type KvSnapshotSink, type KvStateMachine } from '../state-machine.ts';

/** The key-value state machine in the shape that a consensus node hosts: only what asks to be continued is said in its host's word. */
export class ReplicatedStore<Continue extends symbol> {
  readonly kind = 'memory';
  readonly #machine: KvStateMachine;
  readonly #goOn: Continue;

  /** `goOn` is what the host's state machines return to be called again with the same command. */
  constructor(machine: KvStateMachine, goOn: Continue) {
    this.#machine = machine;
    this.#goOn = goOn;
  }

  appliedIndex(): number {
    return this.#machine.appliedIndex();
  }

  apply(command: { readonly index: number; readonly data: Uint8Array }): CommandResult | Continue {
    const result = this.#machine.apply(command);
    return result === continueApply ? this.#goOn : result;
  }

  openSnapshot(): ReturnType<KvStateMachine['openSnapshot']> {
    return this.#machine.openSnapshot();
  }

  beginRestore(): KvSnapshotSink {
    return this.#machine.beginRestore();
  }
}
