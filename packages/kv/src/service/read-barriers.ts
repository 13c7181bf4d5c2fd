import type { BarrierOutcome, Consensus, KvEnvironment } from '../consensus.ts';
import { etcdErrors } from '../errors.ts';
import type { RpcCall, RpcStatus } from '../rpc.ts';
import { Deadlines, type Expiring } from './deadlines.ts';
import type { KvServiceOptions } from './options.ts';
import { requiresLeader } from './require-leader.ts';
import { deadlineExceeded, refusalStatus } from './statuses.ts';

/** Null: the store now shows every write acknowledged before the read came. */
export type BarrierDone = (failure: RpcStatus | null) => void;

/**
 * Read barriers, one for all reads of a turn of the loop (dissertation §6.4). A read has no effect, so one that finds no leader
 * asks again until its deadline.
 */
export class ReadBarriers {
  readonly #consensus: Consensus;
  readonly #environment: KvEnvironment;
  readonly #options: KvServiceOptions;
  readonly #waiting: Deadlines<WaitingRead>;
  /** Came in this turn, or found no leader: the next barrier is theirs. */
  #gathered: WaitingRead[] = [];
  #scheduled = false;
  #cancelRetry: (() => void) | null = null;
  #closed = false;

  constructor(consensus: Consensus, environment: KvEnvironment, options: KvServiceOptions) {
    this.#consensus = consensus;
    this.#environment = environment;
    this.#options = options;
    this.#waiting = new Deadlines(environment);
  }

  /**
   * `clientDeadline` in monotonic microseconds. `call` is the client's, where there is one: it may want an answer rather than wait
   * for a leader. `done` is called exactly once.
   */
  wait(clientDeadline: number, call: Pick<RpcCall, 'metadata'> | null, done: BarrierDone): void {
    if (this.#closed) {
      done(etcdErrors.stopped);
      return;
    }
    if (this.#waiting.size >= this.#options.maxPendingReads) {
      done(etcdErrors.tooManyRequests);
      return;
    }
    const read = new WaitingRead(clientDeadline, this.#environment.now() + this.#options.requestTimeout, call, done);
    this.#waiting.add(read);
    this.#gathered.push(read);
    this.#schedule();
  }

  /** A leader is known (again). */
  leaderFound(): void {
    if (this.#gathered.length > 0) this.#schedule();
  }

  /** Answers everything that still waits. */
  close(): void {
    this.#closed = true;
    this.#cancelRetry?.();
    this.#cancelRetry = null;
    this.#gathered = [];
    for (const read of this.#waiting.close()) read.done(etcdErrors.stopped);
  }

  #settle(read: WaitingRead, failure: RpcStatus | null): void {
    if (this.#waiting.remove(read)) read.done(failure);
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#environment.yield(() => this.#ask());
  }

  #ask(): void {
    this.#scheduled = false;
    this.#cancelRetry?.();
    this.#cancelRetry = null;
    const reads = this.#gathered.filter((read) => this.#waiting.has(read));
    this.#gathered = [];
    if (reads.length > 0) this.#consensus.readBarrier((outcome) => this.#answer(reads, outcome));
  }

  #answer(reads: readonly WaitingRead[], outcome: BarrierOutcome): void {
    if (outcome.kind === 'ready') {
      for (const read of reads) this.#settle(read, null);
    } else if (outcome.reason === 'noLeader' || outcome.reason === 'leadershipLost') {
      this.#retryLater(reads);
    } else {
      const failure = refusalStatus(outcome);
      for (const read of reads) this.#settle(read, failure);
    }
  }

  #retryLater(reads: readonly WaitingRead[]): void {
    const isLeaderless = this.#consensus.leadership().leader === 0n;
    for (const read of reads) {
      if (isLeaderless && read.call !== null && requiresLeader(read.call)) this.#settle(read, etcdErrors.noLeader);
      else if (this.#waiting.has(read)) this.#gathered.push(read);
    }
    if (this.#gathered.length === 0 || this.#cancelRetry !== null) return;
    this.#cancelRetry = this.#environment.setTimer(this.#options.readRetryInterval, () => {
      this.#cancelRetry = null;
      this.#schedule();
    });
  }
}

class WaitingRead implements Expiring {
  readonly done: BarrierDone;
  readonly call: Pick<RpcCall, 'metadata'> | null;
  readonly deadline: number;
  place = -1;
  readonly #ofClient: boolean;

  constructor(clientDeadline: number, ownDeadline: number, call: Pick<RpcCall, 'metadata'> | null, done: BarrierDone) {
    this.call = call;
    this.#ofClient = clientDeadline <= ownDeadline;
    this.deadline = this.#ofClient ? clientDeadline : ownDeadline;
    this.done = done;
  }

  expire(): void {
    this.done(this.#ofClient ? deadlineExceeded : etcdErrors.timeout);
  }
}
