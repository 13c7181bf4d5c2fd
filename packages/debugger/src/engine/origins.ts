/** Where messages were sent and what each server did last, along one branch: the causes of the next step. */
import type { Origins } from './recorder.ts';
import type { StepRecord } from './step-record.ts';

export class OriginIndex implements Origins {
  readonly #sent = new Map<number, number>();
  readonly #last = new Map<string, number>();

  constructor(records: readonly StepRecord[] = []) {
    for (const record of records) this.add(record);
  }

  add({ step, server, sent }: StepRecord): void {
    if (server !== null) this.#last.set(server, step);
    for (const { id } of sent) this.#sent.set(id, step);
  }

  sentIn(message: number): number | null {
    return this.#sent.get(message) ?? null;
  }

  lastOf(server: string): number | null {
    return this.#last.get(server) ?? null;
  }
}
