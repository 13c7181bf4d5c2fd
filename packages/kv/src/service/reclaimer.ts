import type { KvEnvironment } from '../consensus.ts';
import type { KvStateMachine } from '../state-machine.ts';

/** Keys looked at in one turn of the loop. */
const keysPerTurn = 4096;

/** Frees what compaction made unreachable, between other work. */
export class Reclaimer {
  readonly #environment: KvEnvironment;
  readonly #machine: KvStateMachine;
  #scheduled = false;
  #waiting: (() => void)[] = [];
  #closed = false;

  constructor(environment: KvEnvironment, machine: KvStateMachine) {
    this.#environment = environment;
    this.#machine = machine;
  }

  /** Commands have been applied: there may be something to free. */
  wake(): void {
    if (this.#scheduled || this.#closed || !this.#machine.store.hasReclaimable) return;
    this.#schedule();
  }

  /** Calls back when everything is freed that no running read or snapshot still needs. */
  whenClean(done: () => void): void {
    this.#waiting.push(done);
    if (!this.#scheduled) this.#schedule();
  }

  close(): void {
    this.#closed = true;
    this.#clean();
  }

  #schedule(): void {
    this.#scheduled = true;
    this.#environment.yield(() => this.#turn());
  }

  #turn(): void {
    this.#scheduled = false;
    if (this.#closed) return;
    if (this.#machine.reclaim(keysPerTurn)) this.#schedule();
    else this.#clean();
  }

  #clean(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const done of waiting) done();
  }
}
