import { type Connection, type Failure, type Transport } from './transport.ts';

/** The wait after the first failure to connect; doubled with every further one. */
const MIN_BACKOFF_MS = 20;
const MAX_BACKOFF_MS = 1_000;

type Waiter = (connection: Connection | undefined, failure: Failure | undefined) => void;

/** One server: keeps one connection to it, anew after back-off when it breaks. */
export class Endpoint {
  readonly origin: string;
  /** The member that answers here, once one has; 0n until then. */
  memberId = 0n;
  private readonly transport: Transport;
  /** What new calls go to, when it is usable. */
  private current: Connection | undefined;
  /** What is being opened to become the current one. */
  private opening: Connection | undefined;
  /** Every connection that is not closed yet; some only finish their calls. */
  private readonly connections = new Set<Connection>();
  /** Calls that wait for `opening`; no more than the client's `maxCalls`. */
  private waiters: Waiter[] = [];
  private failures = 0;
  private retryAt = 0;
  /** Why the last attempt to connect failed. */
  lastFailure: Failure | undefined;
  private closed = false;
  private onAllClosed: (() => void) | undefined;

  constructor(origin: string, transport: Transport) {
    this.origin = origin;
    this.transport = transport;
  }

  /** The connection, when calls can be made on it right now. */
  get ready(): Connection | undefined {
    return this.current?.usable === true ? this.current : undefined;
  }

  /** Milliseconds until it makes sense to connect again; 0 for now. */
  backoff(now: number): number {
    return Math.max(0, this.retryAt - now);
  }

  /** Calls back, perhaps at once, with a connection that can be used or with the reason why there is none. */
  use(waiter: Waiter): void {
    const { ready } = this;
    if (ready !== undefined) {
      waiter(ready, undefined);
    } else if (this.closed || this.backoff(performance.now()) > 0) {
      waiter(undefined, this.lastFailure ?? { kind: 'notSent', details: 'the client has been closed' });
    } else {
      this.waiters.push(waiter);
      this.open();
    }
  }

  /** Connects ahead of need, when that is needed and makes sense. */
  warm(): void {
    if (this.ready === undefined && !this.closed && this.backoff(performance.now()) === 0) this.open();
  }

  /** Closes at once; calls in flight are lost. */
  close(): Promise<void> {
    this.closed = true;
    for (const connection of this.connections) connection.destroy();
    if (this.connections.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.onAllClosed = resolve;
    });
  }

  private open(): void {
    if (this.opening !== undefined) return;
    const connection: Connection = this.transport.connect(this.origin, {
      opened: () => this.onOpened(connection),
      closed: (cause) => this.onClosed(connection, cause),
    });
    this.opening = connection;
    this.connections.add(connection);
  }

  private onOpened(connection: Connection): void {
    this.opening = undefined;
    this.current = connection;
    this.failures = 0;
    this.answerWaiters(connection, undefined);
  }

  private onClosed(connection: Connection, cause: Error | undefined): void {
    this.connections.delete(connection);
    if (this.current === connection) this.current = undefined;
    if (this.opening === connection) this.onRefused(cause);
    if (this.connections.size === 0) this.onAllClosed?.();
  }

  /** It never opened. */
  private onRefused(cause: Error | undefined): void {
    this.opening = undefined;
    this.lastFailure = { kind: 'notSent', details: `no connection: ${reasonOf(cause)}`, cause };
    const ceiling = Math.min(MIN_BACKOFF_MS * 2 ** this.failures, MAX_BACKOFF_MS);
    this.failures++;
    // Half to whole, at random: many clients must not come back all at once.
    this.retryAt = performance.now() + ceiling * (0.5 + Math.random() / 2);
    this.answerWaiters(undefined, this.lastFailure);
  }

  private answerWaiters(connection: Connection | undefined, failure: Failure | undefined): void {
    const { waiters } = this;
    this.waiters = [];
    for (const waiter of waiters) waiter(connection, failure);
  }
}

/** A host name with several addresses fails with one error for each and no message of its own. */
function reasonOf(cause: Error | undefined): string {
  if (cause instanceof AggregateError && cause.message === '') {
    return cause.errors.map((each) => (each instanceof Error ? each.message : String(each))).join('; ');
  }
  return cause?.message ?? 'closed';
}
