/** The clients: each calls, waits for the answer, writes down what it saw, rests a little. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, connect } from '@quorate/client';
import { type Operation, randomStream, type RandomStream, Violation } from '@quorate/sim';
import { call, isWrite } from './calls.ts';
import { type Group, Groups } from './groups.ts';
import type { Journal } from './journal.ts';

/** How long a call may take: short, so that a fault costs many clients little. */
const CALL_TIMEOUT_MS = 1_500;
/** After a failure, so that servers which are away are not asked a million times. */
const REST_AFTER_FAILURE_MS = 50;
/** Clients that share a group. More would make its search longer, fewer would leave less to search for. */
const CLIENTS_OF_A_GROUP = 4;

export interface LoadOptions {
  readonly seed: number;
  readonly clients: number;
  /** Calls a second that all clients together aim at. */
  readonly rate: number;
  readonly endpoints: readonly string[];
  /** The history is kept whole; with so many operations the run ends. */
  readonly maxOperations: number;
}

export class Load {
  readonly groups: Groups;
  readonly #options: LoadOptions;
  readonly #journal: Journal;
  readonly #onViolation: (violation: Violation) => void;
  readonly #onFull: () => void;
  readonly #revisions = new RevisionOrder();
  #nextId = 1;
  operations = 0;

  constructor(
    options: LoadOptions,
    journal: Journal,
    on: { readonly violation: (violation: Violation) => void; readonly full: () => void },
  ) {
    this.#options = options;
    this.#journal = journal;
    this.#onViolation = on.violation;
    this.#onFull = on.full;
    this.groups = new Groups(Math.ceil(options.clients / CLIENTS_OF_A_GROUP));
  }

  /** Resolves when `stop` has come and every call has ended. */
  async run(stop: AbortSignal): Promise<void> {
    const { clients } = this.#options;
    await Promise.all(Array.from({ length: clients }, (_, at) => this.#live(at, stop)));
  }

  async #live(at: number, stop: AbortSignal): Promise<void> {
    const { seed, clients, rate, endpoints } = this.#options;
    const stream = randomStream(seed, `client/${at}`);
    // Every third knows one server only: so followers, and the leaders of old, get their share of the calls.
    const own = endpoints[at % endpoints.length];
    const client = await connect(at % 3 === 0 && own !== undefined ? [own] : endpoints, { timeout: CALL_TIMEOUT_MS });
    try {
      await this.#keepCalling(client, at, stream, (clients / rate) * 1_000_000, stop);
    } finally {
      await client.close();
    }
  }

  async #keepCalling(
    client: Client,
    at: number,
    stream: RandomStream,
    periodMicros: number,
    stop: AbortSignal,
  ): Promise<void> {
    let id = this.#nextId++;
    while (!stop.aborted) {
      const began = this.#journal.now();
      const { outcome } = await this.#one(client, id, this.groups.of(at), stream);
      // A write without an answer may happen later: whoever goes on is, to the history, another client.
      if (outcome.kind === 'unknown') id = this.#nextId++;
      const took = this.#journal.now() - began;
      const rest = outcome.kind === 'ok' ? (periodMicros - took) / 1000 : REST_AFTER_FAILURE_MS;
      if (rest > 0) await sleep(rest);
    }
  }

  async #one(client: Client, id: number, group: Group, stream: RandomStream): Promise<Operation> {
    const request = group.next(stream);
    const floor = this.#revisions.newest;
    const called = this.#journal.now();
    const outcome = await call(client, request);
    const returned = outcome.kind === 'unknown' ? null : this.#journal.now();
    const operation = { client: id, request, called, returned, outcome };
    group.add(operation);
    this.#journal.ended(isWrite(request), called, outcome);
    const violation = this.#revisions.saw(operation, floor);
    if (violation !== null) this.#onViolation(violation);
    if (++this.operations >= this.#options.maxOperations) this.#onFull();
    return operation;
  }
}

/** Revisions agree with real time, over all keys: checked as the answers come. */
class RevisionOrder {
  /** The newest that any answer bore. */
  newest = 1;
  /** One bit for each revision that was given to a write. */
  #given = new Uint8Array(1 << 16);

  /** `floor`: the newest revision when the operation was called. */
  saw(operation: Operation, floor: number): Violation | null {
    const { request, outcome } = operation;
    if (outcome.kind !== 'ok') return null;
    const { response } = outcome;
    const { revision } = response;
    this.newest = Math.max(this.newest, revision);
    const wrote =
      response.kind === 'put' ||
      (response.kind === 'delete' && response.deleted > 0) ||
      (response.kind === 'txn' && response.responses.some(({ kind }) => kind !== 'range'));
    const text = JSON.stringify(operation);
    if (wrote && this.#isGiven(revision)) {
      return new Violation(
        'G5',
        `revision ${revision} was given to another write`,
        `it was given to this one: ${text}`,
      );
    }
    if (wrote) this.#give(revision);
    if (request.kind === 'range' && request.serializable) return null;
    const isOld = wrote ? revision <= floor : revision < floor;
    if (!isOld) return null;
    return new Violation('G2', `revision ${floor} was shown to a client before this call began`, `it shows ${text}`);
  }

  #isGiven(revision: number): boolean {
    return ((this.#given[revision >> 3] ?? 0) & (1 << (revision & 7))) !== 0;
  }

  #give(revision: number): void {
    if (revision >> 3 >= this.#given.length) {
      const larger = new Uint8Array(Math.max(this.#given.length * 2, (revision >> 3) + 1));
      larger.set(this.#given);
      this.#given = larger;
    }
    this.#given[revision >> 3] = (this.#given[revision >> 3] ?? 0) | (1 << (revision & 7));
  }
}
