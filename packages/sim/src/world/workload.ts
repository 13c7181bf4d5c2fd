/** What clients ask for: few keys, values that never repeat, every kind of request. */
import type { KvRequest, KvResponse, SimpleRequest, TxnRequest } from '../history.ts';
import type { RandomStream } from '../random.ts';

export interface WorkloadOptions {
  readonly keys: number;
  /** Of a thousand requests; the rest are puts. */
  readonly gets: number;
  readonly ranges: number;
  readonly deletes: number;
  readonly txns: number;
  readonly compactions: number;
  /** Of a thousand reads: may be stale. */
  readonly serializable: number;
  /** Longest value in bytes. */
  readonly valueBytes: number;
}

export class Workload {
  readonly #options: WorkloadOptions;
  #value = 0;
  /** The newest revision that any answer bore. */
  #revision = 1;

  constructor(options: WorkloadOptions) {
    this.#options = options;
  }

  next(stream: RandomStream): KvRequest {
    const { gets, ranges, deletes, txns, compactions } = this.#options;
    let drawn = stream.below(1000);
    if (drawn < gets) return this.#get(stream);
    drawn -= gets;
    if (drawn < ranges) return this.#range(stream);
    drawn -= ranges;
    if (drawn < deletes) return this.#delete(stream);
    drawn -= deletes;
    if (drawn < txns) return { kind: 'txn', txn: this.#txn(stream) };
    drawn -= txns;
    if (drawn < compactions) return { kind: 'compact', revision: Math.max(1, this.#revision - stream.below(30)) };
    return this.put(stream);
  }

  put(stream: RandomStream): KvRequest & SimpleRequest {
    const value = `v${++this.#value}`.padEnd(stream.below(this.#options.valueBytes + 1), '.');
    return { kind: 'put', key: this.#key(stream), value };
  }

  saw(response: KvResponse): void {
    this.#revision = Math.max(this.#revision, response.revision);
  }

  #key(stream: RandomStream): string {
    return `k${stream.below(this.#options.keys)}`;
  }

  #get(stream: RandomStream): SimpleRequest {
    const serializable = stream.chance(this.#options.serializable);
    const revision = stream.below(8) === 0 ? Math.max(1, this.#revision - stream.below(10)) : 0;
    return { kind: 'range', key: this.#key(stream), rangeEnd: '', revision, limit: 0, serializable };
  }

  #range(stream: RandomStream): SimpleRequest {
    const serializable = stream.chance(this.#options.serializable);
    const limit = stream.below(3) === 0 ? 1 + stream.below(3) : 0;
    return { kind: 'range', key: this.#key(stream), rangeEnd: 'l', revision: 0, limit, serializable };
  }

  #delete(stream: RandomStream): SimpleRequest {
    return { kind: 'delete', key: this.#key(stream), rangeEnd: stream.below(4) === 0 ? 'l' : '' };
  }

  /** Compare and set, on what the key was last seen to be or on its absence. */
  #txn(stream: RandomStream): TxnRequest {
    const key = this.#key(stream);
    const compare =
      stream.below(2) === 0
        ? ({ key, target: 'mod', result: 'less', value: this.#revision } as const)
        : ({ key, target: 'version', result: stream.below(2) === 0 ? 'equal' : 'greater', value: 0 } as const);
    const read: SimpleRequest = { kind: 'range', key, rangeEnd: '', revision: 0, limit: 0, serializable: false };
    const second = this.#key(stream);
    const write: SimpleRequest = { kind: 'put', key, value: `v${++this.#value}` };
    const other: SimpleRequest = { kind: 'put', key: second, value: `v${this.#value}b` };
    return { compare: [compare], success: second === key ? [write] : [write, other, read], failure: [read] };
  }
}
