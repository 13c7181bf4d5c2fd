/** Carries a wish about the membership to its end: looks, decides, asks, and looks again when others were faster. */
import { etcdErrors, type RpcStatus, StatusCode } from '@quorate/kv';
import type { ChangeRefusal, Configuration, MemberChange } from '@quorate/raft';
import { type ChangeOutcome, changeRefusalMessage, type Environment, type RaftNode } from '@quorate/runtime';

/** Between two attempts while a leader is missing or another change is under way. Microseconds. */
const retryAfter = 50_000;

/** Refusals that pass by themselves: the same wish may be granted a moment later. */
const passing: readonly ChangeRefusal[] = [
  'noLeader',
  'leadershipLost',
  'recovering',
  'busy',
  'staleView',
  'changing',
  'unproven',
];

export interface Wish {
  /** What to ask for, given the membership as it is now; or why not to. Asked again when the membership has changed meanwhile. */
  decide(configuration: Configuration): readonly MemberChange[] | RpcStatus;
  /** Whether a committed configuration is what was wished; where it is not given, the commit of the first step is waited for. */
  readonly isDone?: (configuration: Configuration) => boolean;
  /** What to say if that takes longer than the caller waits, although the change goes on; null: that it is under way is enough. */
  readonly tooLate?: RpcStatus;
  /** Asked for the configuration of this version only. */
  readonly version?: number;
}

type Done = (failure: RpcStatus | null) => void;

export class MembershipChanger {
  readonly #node: RaftNode;
  readonly #environment: Pick<Environment, 'clock' | 'timers'>;
  readonly #linearize: (deadline: number, done: Done) => void;
  /** Microseconds. */
  readonly #requestTimeout: number;

  constructor(
    node: RaftNode,
    environment: Pick<Environment, 'clock' | 'timers'>,
    linearize: (deadline: number, done: Done) => void,
    requestTimeout: number,
  ) {
    this.#node = node;
    this.#environment = environment;
    this.#linearize = linearize;
    this.#requestTimeout = requestTimeout;
  }

  /** `done` is called once, later. `wanted` is the caller's deadline, monotonic, in µs; the server's own bound holds as well. */
  change(wish: Wish, wanted: number, done: Done): void {
    const deadline = Math.min(wanted, this.#environment.clock.now() + this.#requestTimeout);
    // A server that lags must not refuse by an old list of members.
    this.#linearize(deadline, (failure) => {
      if (failure === null) this.#attempt(wish, deadline, done);
      else done({ ...failure, outcome: 'refused' });
    });
  }

  #attempt(wish: Wish, deadline: number, done: Done): void {
    const { configuration } = this.#node;
    const changes = wish.decide(configuration);
    if ('code' in changes) return done({ ...changes, outcome: 'refused' });
    if (changes.length === 0) return this.#wait(wish, deadline, done);
    const version = wish.version ?? configuration.version;
    let isOver = false;
    // Who removes itself may learn that it is out before it learns that the change has begun; then it learns nothing more.
    const stop = this.#node.on('removed', () => {
      if (!changes.some(({ op, id }) => op === 'remove' && id === this.#node.id)) return;
      isOver = true;
      stop();
      done(null);
    });
    this.#node.changeMembersWith(changes, version, (outcome) => {
      if (isOver) return;
      stop();
      this.#onOutcome(wish, deadline, outcome, done);
    });
  }

  #onOutcome(wish: Wish, deadline: number, outcome: ChangeOutcome, done: Done): void {
    if (outcome.kind === 'begun') return this.#wait(wish, deadline, done);
    if (outcome.kind === 'unknown') return done({ ...etcdErrors.timeout, outcome: 'unknown' });
    const { clock, timers } = this.#environment;
    const { reason } = outcome;
    const isHopeless = !passing.includes(reason) || (reason === 'staleView' && wish.version !== undefined);
    if (isHopeless || clock.now() + retryAfter >= deadline) {
      return done({ ...changeRefusalStatus(reason), outcome: 'refused' });
    }
    timers.set(retryAfter, () => this.#attempt(wish, deadline, done));
  }

  /** Whoever leads carries the change on; this server only watches. */
  #wait({ isDone, tooLate }: Wish, deadline: number, done: Done): void {
    const node = this.#node;
    const reached = (): boolean =>
      node.configuration.index <= node.commitIndex && isDone?.(node.configuration) !== false;
    if (isDone === undefined || reached()) return done(null);
    const { clock, timers } = this.#environment;
    const finish = (failure: RpcStatus | null): void => {
      for (const stop of stops) stop();
      timers.clear(timer);
      done(failure);
    };
    const stops = [
      node.on('applied', () => {
        if (reached()) finish(null);
      }),
      // It hears nothing more of the change, which is the one that it was asked for or one that overtook it.
      node.on('removed', () => finish(null)),
    ];
    const timer = timers.set(Math.max(0, deadline - clock.now()), () => {
      finish(tooLate === undefined ? null : { ...tooLate, outcome: 'unknown' });
    });
  }
}

/** How a refused change looks to a client: in etcd's words where etcd has them. */
export function changeRefusalStatus(reason: ChangeRefusal): RpcStatus {
  switch (reason) {
    case 'noLeader':
      return etcdErrors.noLeader;
    case 'leadershipLost':
      return etcdErrors.leaderChanged;
    case 'busy':
      return etcdErrors.tooManyRequests;
    case 'leaderDiskFull':
      return etcdErrors.noSpace;
    case 'tooLarge':
      return etcdErrors.requestTooLarge;
    case 'unknownMember':
      return etcdErrors.memberNotFound;
    case 'alreadyMember':
      return etcdErrors.memberExists;
    case 'alreadyVoter':
      return etcdErrors.memberNotLearner;
    case 'quorumWouldBeLost':
      return etcdErrors.unhealthy;
    case 'noVoters':
      return etcdErrors.notEnoughStarted;
    case 'recovering':
    case 'foreignIncarnation':
    case 'unproven':
    case 'changing':
    case 'versionTooOld':
      return { code: StatusCode.unavailable, message: changeRefusalMessage(reason) };
    case 'repeated':
    case 'alreadyLearner':
    case 'alreadyBound':
    case 'formerLife':
    case 'malformed':
    case 'nothingChanges':
    case 'staleView':
      return { code: StatusCode.failedPrecondition, message: changeRefusalMessage(reason) };
  }
}
