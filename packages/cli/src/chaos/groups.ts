/**
 * The keys of a run, in small groups that nothing spans. A group is a history of its own; after so many operations it is left, and a
 * new one is begun, so that each can be searched for an order of its operations however long the run is.
 */
import type { KvRequest, Operation, RandomStream, SimpleRequest, TxnRequest } from '@quorate/sim';

const KEYS = 3;
/** Operations after which a group is left. */
const MAX_OPERATIONS = 300;
/** Each unanswered write doubles, at worst, the orders to be tried. */
const MAX_UNKNOWN = 6;
const VALUE_BYTES = 64;

export class Group {
  readonly name: string;
  readonly operations: Operation[] = [];
  #begun = 0;
  #unknown = 0;
  #values = 0;
  /** The newest revision that an answer bore. */
  #revision = 1;

  constructor(number: number) {
    this.name = `g${String(number).padStart(5, '0')}`;
  }

  get isFull(): boolean {
    return this.#begun >= MAX_OPERATIONS || this.#unknown >= MAX_UNKNOWN;
  }

  /** From the first key of the group, to before the first behind it. */
  get range(): { readonly key: string; readonly rangeEnd: string } {
    return { key: `${this.name}/`, rangeEnd: `${this.name}0` };
  }

  add(operation: Operation): void {
    this.operations.push(operation);
    const { outcome, request } = operation;
    if (outcome.kind === 'ok') this.#revision = Math.max(this.#revision, outcome.response.revision);
    if (outcome.kind === 'unknown' && request.kind !== 'range') this.#unknown++;
  }

  next(stream: RandomStream): KvRequest {
    this.#begun++;
    const drawn = stream.below(100);
    if (drawn < 35) return this.#put(stream);
    if (drawn < 60) return this.#get(stream);
    if (drawn < 75) return this.#range(stream);
    if (drawn < 83) return { kind: 'delete', key: this.#key(stream), rangeEnd: this.#rangeEnd(stream) };
    return { kind: 'txn', txn: this.#txn(stream) };
  }

  #put(stream: RandomStream): SimpleRequest {
    return { kind: 'put', key: this.#key(stream), value: this.#value(stream) };
  }

  #get(stream: RandomStream): SimpleRequest {
    // Every eighth read looks into the past.
    const revision = stream.below(8) === 0 ? Math.max(1, this.#revision - stream.below(20)) : 0;
    const serializable = revision === 0 && stream.below(4) === 0;
    return { kind: 'range', key: this.#key(stream), rangeEnd: '', revision, limit: 0, serializable };
  }

  #range(stream: RandomStream): SimpleRequest {
    const limit = stream.below(4) === 0 ? 1 : 0;
    return { kind: 'range', ...this.range, revision: 0, limit, serializable: stream.below(4) === 0 };
  }

  /** Compare and set, on what a key was last seen to be or on its absence. */
  #txn(stream: RandomStream): TxnRequest {
    const key = this.#key(stream);
    const compare =
      stream.below(2) === 0
        ? ({ key, target: 'mod', result: 'less', value: this.#revision } as const)
        : ({ key, target: 'version', result: stream.below(2) === 0 ? 'equal' : 'greater', value: 0 } as const);
    const read: SimpleRequest = { kind: 'range', key, rangeEnd: '', revision: 0, limit: 0, serializable: false };
    const second = this.#key(stream);
    const write: SimpleRequest = { kind: 'put', key, value: this.#value(stream) };
    const other: SimpleRequest = { kind: 'put', key: second, value: this.#value(stream) };
    return { compare: [compare], success: second === key ? [write] : [write, other, read], failure: [read] };
  }

  #key(stream: RandomStream): string {
    return `${this.name}/k${stream.below(KEYS)}`;
  }

  #rangeEnd(stream: RandomStream): string {
    return stream.below(4) === 0 ? this.range.rangeEnd : '';
  }

  /** No value comes twice. */
  #value(stream: RandomStream): string {
    return `${this.name}-v${++this.#values}`.padEnd(stream.below(VALUE_BYTES + 1), '.');
  }
}

/** The groups of a run; a few of them are open at a time. */
export class Groups {
  readonly all: Group[] = [];
  readonly #open: Group[] = [];
  readonly #lanes: number;

  /** `lanes`: groups that are open at once. */
  constructor(lanes: number) {
    this.#lanes = lanes;
  }

  /** The group that a client works on next. */
  of(client: number): Group {
    const lane = client % this.#lanes;
    const open = this.#open[lane];
    if (open !== undefined && !open.isFull) return open;
    const group = new Group(this.all.length);
    this.#open[lane] = group;
    this.all.push(group);
    return group;
  }
}
