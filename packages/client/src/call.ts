import { ProtobufError, type ResponseHeader, StatusCode } from '@quorate/kv/api';
import { type Endpoint } from './endpoint.ts';
import { ClientError, codeOfStatus, MalformedResponse } from './errors.ts';
import { type LeaderTracker } from './leader-tracker.ts';
import { type Acquired, type Ring } from './ring.ts';
import { type CallHandle, type Connection, type Failure, type Reply } from './transport.ts';
import { type CallKind, verdictOn } from './verdict.ts';

/** The wait after a round in which every server refused; doubled with every further round. */
const MIN_ROUND_WAIT_MS = 5;
const MAX_ROUND_WAIT_MS = 100;

export interface CallContext {
  readonly ring: Ring;
  readonly leader: Pick<LeaderTracker, 'observe' | 'suspect'>;
}

export interface CallPlan<Response, Result> {
  /** e.g. `/etcdserverpb.KV/Put` */
  readonly path: string;
  readonly response: { decode(bytes: Uint8Array): Response };
  /** What the caller gets. Throws MalformedResponse when the response makes no sense. */
  readonly resultOf: (response: Response, endpoint: string) => Result;
  readonly frame: Uint8Array;
  /** A read may be made again whatever became of it; a write only after a definite refusal. */
  readonly kind: CallKind;
  /** Whether only a server that knows a leader can answer. */
  readonly needsLeader: boolean;
  readonly timeout: number;
  readonly signal: AbortSignal | undefined;
}

type Headed = { readonly header: ResponseHeader | undefined };
type Outcome<Result> =
  | { readonly error: ClientError; readonly result?: undefined }
  | { readonly error: undefined; readonly result: Result };
type Settled<Result> = (outcome: Outcome<Result>) => void;

/**
 * One call, over as many attempts as it takes: round the ring until a server has done it, a server has said no for good, the
 * outcome of a write is unknown, or the time is up. `settled` hears of it exactly once.
 */
export class Call<Response extends Headed, Result> {
  private readonly context: CallContext;
  private readonly plan: CallPlan<Response, Result>;
  private readonly settled: Settled<Result>;
  private readonly deadline: number;
  private readonly timer: NodeJS.Timeout;
  private retryTimer: NodeJS.Timeout | undefined;
  private over = false;
  /** The attempt that is on its way, and to whom. */
  private handle: CallHandle | undefined;
  private endpoint: Endpoint | undefined;
  private readonly tried = new Set<Endpoint>();
  private rounds = 0;
  private lastRefusal: Failure | undefined;

  constructor(context: CallContext, plan: CallPlan<Response, Result>, settled: Settled<Result>) {
    this.context = context;
    this.plan = plan;
    this.settled = settled;
    this.deadline = performance.now() + plan.timeout;
    this.timer = setTimeout(() => this.onDeadline(), plan.timeout);
    plan.signal?.addEventListener('abort', this.onAbort, { once: true });
  }

  /** Looks for a server and sends it the request. */
  attempt(): void {
    this.context.ring.acquire(this.tried, (acquired) => this.onAcquired(acquired));
  }

  private onAcquired(acquired: Acquired): void {
    if (this.over) return;
    if (acquired.endpoint !== undefined) {
      this.send(acquired.endpoint, acquired.connection);
      return;
    }
    if (acquired.failure !== undefined) this.lastRefusal = acquired.failure;
    this.waitForNextRound();
  }

  private send(endpoint: Endpoint, connection: Connection): void {
    const { path, frame, needsLeader } = this.plan;
    const timeoutMs = this.deadline - performance.now();
    this.tried.add(endpoint);
    this.endpoint = endpoint;
    this.handle = connection.call({ path, frame, timeoutMs, needsLeader }, (reply) => this.onReply(endpoint, reply));
  }

  private onReply(endpoint: Endpoint, reply: Reply): void {
    if (this.over) return;
    this.handle = undefined;
    if (reply.kind === 'message') this.onMessage(endpoint, reply.message);
    else this.onFailure(endpoint, reply);
  }

  private onMessage(endpoint: Endpoint, message: Uint8Array): void {
    const { response: type, resultOf } = this.plan;
    let result: Result;
    try {
      const response = type.decode(message);
      this.context.leader.observe(endpoint, response.header);
      result = resultOf(response, endpoint.origin);
    } catch (cause) {
      if (!(cause instanceof ProtobufError || cause instanceof MalformedResponse)) throw cause;
      this.onFailure(endpoint, { kind: 'malformed', details: cause.message, cause });
      return;
    }
    this.end({ error: undefined, result });
  }

  private onFailure(endpoint: Endpoint, failure: Failure): void {
    switch (verdictOn(this.plan.kind, failure)) {
      case 'refused':
        if (failure.kind === 'status' && failure.status === StatusCode.deadlineExceeded) {
          this.context.leader.suspect(endpoint);
        }
        this.fail(this.errorOf(failure));
        return;
      case 'unknown':
        this.context.leader.suspect(endpoint);
        this.fail(this.unknown(failure.details, this.errorOf(failure)));
        return;
      case 'retry':
        this.context.leader.suspect(endpoint);
        this.lastRefusal = failure;
        this.attempt();
    }
  }

  /** Everybody has refused. Half to whole of the wait, at random, so that callers do not come back all at once. */
  private waitForNextRound(): void {
    const ceiling = Math.min(MIN_ROUND_WAIT_MS * 2 ** this.rounds, MAX_ROUND_WAIT_MS);
    this.rounds++;
    this.retryTimer = setTimeout(
      () => {
        this.tried.clear();
        this.attempt();
      },
      ceiling * (0.5 + Math.random() / 2),
    );
  }

  private onDeadline(): void {
    const within = `within ${this.plan.timeout} ms`;
    if (this.handle !== undefined && this.endpoint !== undefined) this.context.leader.suspect(this.endpoint);
    const { lastRefusal } = this;
    if (this.mayTakeEffect()) this.fail(this.unknown(`no answer ${within}`));
    else if (lastRefusal !== undefined) {
      const last = this.errorOf(lastRefusal);
      this.fail(this.error('Unavailable', `No server did ${this.what()} ${within}; last: ${last.message}`, last));
    } else this.fail(this.error('DeadlineExceeded', `${this.where()} did not answer ${this.what()} ${within}.`));
  }

  private readonly onAbort = (): void => {
    const cause: unknown = this.plan.signal?.reason;
    if (this.mayTakeEffect()) this.fail(this.unknown('the call was aborted', cause));
    else this.fail(this.error('Aborted', `${this.what()} was aborted before anything was done.`, cause));
  };

  /** Whether a write is on its way. */
  private mayTakeEffect(): boolean {
    return this.handle !== undefined && this.plan.kind === 'write';
  }

  private fail(error: ClientError): void {
    this.end({ error });
  }

  private end(outcome: Outcome<Result>): void {
    this.over = true;
    clearTimeout(this.timer);
    clearTimeout(this.retryTimer);
    this.plan.signal?.removeEventListener('abort', this.onAbort);
    this.handle?.cancel();
    this.settled(outcome);
  }

  private unknown(reason: string, cause?: unknown): ClientError {
    const advice = 'Read what it would have changed before you do it again.';
    return this.error('OutcomeUnknown', `Whether ${this.what()} took effect is not known: ${reason}. ${advice}`, cause);
  }

  private errorOf(failure: Failure): ClientError {
    const { details } = failure;
    const cause = 'cause' in failure ? failure.cause : undefined;
    const endpoint = this.endpoint?.origin;
    switch (failure.kind) {
      case 'status':
        return new ClientError(codeOfStatus(failure.status), details === '' ? `status ${failure.status}` : details, {
          endpoint,
          status: failure.status,
          details,
        });
      case 'tooLarge':
        return this.error('ResponseTooLarge', `${this.where()}: ${details}.`);
      case 'malformed':
        return this.error('MalformedResponse', `${this.where()}: ${details}.`, cause);
      case 'notSent':
      case 'lost':
        return this.error('Unavailable', `${this.where()}: ${details}.`, cause);
    }
  }

  private error(code: ClientError['code'], message: string, cause?: unknown): ClientError {
    return new ClientError(code, message, { cause, endpoint: this.endpoint?.origin });
  }

  private what(): string {
    return this.plan.path.slice(this.plan.path.lastIndexOf('/') + 1);
  }

  private where(): string {
    return this.endpoint?.origin ?? 'Any server';
  }
}
