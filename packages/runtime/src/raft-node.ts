/**
 * The public face of a running server: promises and events outside, callbacks and inputs inside.
 */
import {
  type Configuration,
  type Index,
  isJoint,
  type Member,
  type MemberChange,
  type MemberId,
  type RaftEvent,
  type RaftStatus,
  type Role,
  type Term,
} from '@quorate/raft';
import type { Emitter } from './emitter.ts';
import type { Environment } from './environment.ts';
import { RaftError } from './errors.ts';
import type { Loop } from './loop/loop.ts';
import { changeError, type ChangeOutcome, transferError, type TransferOutcome } from './membership-outcome.ts';
import type { RaftNodeOptions } from './node-options.ts';
import { openNode } from './open.ts';
import { type ProposalOutcome, proposalError, type ReadOutcome, readError } from './outcome.ts';
import type { RaftStorage, StorageIdentity } from './storage.ts';
import type { PeerStatus } from './transport/peer.ts';
import type { Transport } from './transport/transport.ts';

/** As much of the standard AbortSignal as is used here. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

export interface CallOptions {
  /** Gives up waiting. A command that was handed over already may still take effect: see `RaftError.definite`. */
  readonly signal?: AbortSignalLike;
  /**
   * Milliseconds to wait. For commands and reads at most `limits.requestTimeout`, which is also the default; a change of membership is
   * waited for without end where none is given.
   */
  readonly timeout?: number;
}

export interface ChangeOptions extends CallOptions {
  /** The version of the configuration that the change was made for. */
  readonly version?: number;
  /** What is waited for: the end of the change, or the commit of its first step. Default: `done`. */
  readonly until?: 'done' | 'begun';
}

export interface NodeEvents {
  role: { readonly role: Role; readonly term: Term; readonly reason: string };
  leader: { readonly leader: MemberId | null; readonly term: Term };
  /** The configuration in force has changed. */
  members: Configuration;
  /** A run of committed entries was applied, up to this index. */
  applied: Index;
  /** Everything else that the core reports: votes, truncations, violations, foreign incarnations. */
  raft: RaftEvent;
  /** This server belongs to the cluster no more, for good: it should be closed. */
  removed: { readonly reason: string };
  /** The node has stopped for good. */
  fatal: RaftError;
}

export interface RaftNodeStatus extends RaftStatus {
  readonly clusterId: string;
  readonly incarnation: string;
  readonly listenAddress: string;
  readonly peers: readonly PeerStatus[];
  /** Local callers that wait. */
  readonly pendingProposals: number;
  readonly pendingReads: number;
  /** Bytes of log behind the newest snapshot. */
  readonly logBytes: number;
}

/** Everything that `openNode` put together. */
export interface NodeParts {
  readonly environment: Environment;
  readonly identity: StorageIdentity;
  readonly listenAddress: string;
  readonly loop: Loop;
  readonly storage: RaftStorage;
  readonly transport: Transport;
  readonly events: Emitter<NodeEvents>;
  /** Tells which listeners the loop's hooks call. */
  readonly onFatal: (handler: (error: RaftError) => void) => void;
}

/**
 * One server of a cluster, with the state machine that it replicates.
 *
 * ```ts
 * const node = await RaftNode.open({ id, environment, listen, initialCluster, stateMachine });
 * const result = await node.propose(command);
 * ```
 */
export class RaftNode<Result = unknown> {
  readonly #parts: NodeParts;
  readonly #loop: Loop;
  /** Resolves when the node has stopped and released everything: with null after `close`, with the reason otherwise. */
  readonly closed: Promise<RaftError | null>;
  #resolveClosed: (error: RaftError | null) => void = () => undefined;
  #isClosing = false;

  private constructor(parts: NodeParts) {
    this.#parts = parts;
    this.#loop = parts.loop;
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    parts.onFatal((error) => this.#onFatal(error));
  }

  /**
   * Opens the data directory and starts. A fresh directory of a "new" cluster first waits for its peers. Resolves when the
   * node takes part; that does not mean that there is a leader yet.
   *
   * Rejects with a RaftError: `InvalidOptions`, `StorageFailed`, `WrongCluster`, `ListenFailed`, `MemberAlreadyRan`,
   * `StateMachineFailed`, `VersionNotSpoken`, `Aborted`.
   */
  static open<Result>(options: RaftNodeOptions<Result> & { signal?: AbortSignalLike }): Promise<RaftNode<Result>> {
    return new Promise((resolve, reject) => {
      const { signal } = options;
      const abort = RaftNode.openWith(options, (outcome) => {
        signal?.removeEventListener('abort', onAbort);
        if (outcome instanceof RaftError) reject(outcome);
        else resolve(outcome);
      });
      const onAbort = (): void => abort();
      if (signal?.aborted === true) onAbort();
      else signal?.addEventListener('abort', onAbort);
    });
  }

  /** `open` without a promise. `done` is called exactly once, later; the returned function gives up, and `done` says so. */
  static openWith<Result>(
    options: RaftNodeOptions<Result>,
    done: (outcome: RaftNode<Result> | RaftError) => void,
  ): () => void {
    const abort = openNode(options, (outcome) => {
      if (outcome instanceof RaftError) {
        done(outcome);
        return;
      }
      const node = new RaftNode<Result>(outcome);
      outcome.loop.start();
      done(node);
    });
    return () => abort(new RaftError('Aborted', 'Opening the node was given up by its caller.'));
  }

  /**
   * Replicates a command and resolves with what this server's state machine returned for it, once it is committed and applied
   * here. Works on every server: a follower carries the command to the leader, once.
   *
   * Rejects with a RaftError. `definite` says whether the command certainly has no effect; if it is false, as for
   * `OutcomeUnknown`, find out by reading before you send it again.
   */
  propose(command: Uint8Array, options: CallOptions = {}): Promise<Result> {
    return new Promise((resolve, reject) => {
      const call = this.#callOf(options, (code) => {
        const isUntouched = pending === null || this.#loop.callers.abandonProposal(pending);
        if (code === 'Aborted') reject(abortedProposal(isUntouched));
        else reject(timedOutProposal(isUntouched, options.timeout));
      });
      if (call === null) {
        reject(abortedProposal(true));
        return;
      }
      const pending = this.#loop.callers.propose(command, (outcome) => {
        call.end();
        if (outcome.kind === 'applied') resolve(outcome.result as Result);
        else reject(proposalError(outcome, this.leader));
      });
    });
  }

  /**
   * Resolves when every command acknowledged before the call, by any server, is applied here; what is then read from the state
   * machine is linearizable (dissertation §6.4). Safe to repeat. Resolves with the applied index.
   */
  readBarrier(options: CallOptions = {}): Promise<Index> {
    return new Promise((resolve, reject) => {
      const call = this.#callOf(options, (code) => {
        if (pending !== null) this.#loop.callers.abandonRead(pending);
        const what =
          code === 'Aborted'
            ? 'The read was given up by its caller.'
            : 'The read was not confirmed in time. Try again.';
        reject(new RaftError(code, what));
      });
      if (call === null) {
        reject(new RaftError('Aborted', 'The read was given up by its caller.'));
        return;
      }
      const pending = this.#loop.callers.read((outcome) => {
        call.end();
        if (outcome.kind === 'ready') resolve(outcome.index);
        else reject(readError(outcome, this.leader));
      });
    });
  }

  /**
   * Changes who belongs to the cluster, by any set of wishes at once (§6; dissertation chapter 4). Works on every server. Resolves when
   * the change is over: newcomers have caught up and vote, others have gone. With `until: 'begun'` it resolves as soon as the first
   * step is committed; the change is then carried to its end whoever leads. With `version` it is refused if the configuration
   * is not the one of that version any more.
   *
   * Rejects with a RaftError: `ChangeRefused` (`reason` says why), `NotLeader`, `OutcomeUnknown`, `Timeout`, `Aborted`. After the last
   * two a change that has begun goes on all the same.
   */
  changeMembers(changes: readonly MemberChange[], options: ChangeOptions = {}): Promise<Configuration> {
    return new Promise((resolve, reject) => {
      let stopWatching = (): void => undefined;
      const call = this.#callOf(options, (code) => {
        stopWatching();
        const message = 'The change of membership is not waited for any longer. If it has begun it goes on.';
        reject(new RaftError(code, message, { definite: false }));
      });
      if (call === null) {
        reject(new RaftError('Aborted', 'The change of membership was given up by its caller. It has no effect.'));
        return;
      }
      const finish = (): void => {
        call.end();
        stopWatching();
        resolve(this.configuration);
      };
      this.changeMembersWith(changes, options.version ?? null, (outcome) => {
        if (outcome.kind !== 'begun') {
          call.end();
          reject(changeError(outcome, this.leader));
        } else if (options.until === 'begun' || this.#isSettled()) finish();
        else stopWatching = this.#onSettled(finish);
      });
    });
  }

  /** `changeMembers` up to its first commit, without a promise. `done` is called exactly once, later, and must not throw. */
  changeMembersWith(
    changes: readonly MemberChange[],
    version: number | null,
    done: (outcome: ChangeOutcome) => void,
  ): void {
    this.#loop.callers.change(changes, version, done);
  }

  /** Calls back when the change under way is over; or when this server is out, since then it hears nothing more of it. */
  #onSettled(done: () => void): () => void {
    const stops = [
      this.on('applied', () => {
        if (this.#isSettled()) done();
      }),
      this.on('removed', done),
    ];
    return () => stops.forEach((stop) => stop());
  }

  /** No change of membership is under way, as far as is committed. */
  #isSettled(): boolean {
    const { configuration, commitIndex } = this.#loop.raft;
    return configuration.target === null && !isJoint(configuration) && configuration.index <= commitIndex;
  }

  /**
   * Hands leadership to `target`, or to the voter that is closest behind (dissertation §3.10). On the leader only. Resolves when the
   * target leads; rejects with a RaftError, `TransferFailed` or `NotLeader`. Meanwhile, for an election timeout at most, commands are
   * refused.
   */
  transferLeadership(target: MemberId | null = null): Promise<void> {
    return new Promise((resolve, reject) => {
      this.transferLeadershipWith(target, (outcome) => {
        if (outcome === 'done') resolve();
        else reject(transferError(outcome, this.leader));
      });
    });
  }

  /** `transferLeadership` without a promise. `done` is called exactly once, later, and must not throw. */
  transferLeadershipWith(target: MemberId | null, done: (outcome: TransferOutcome) => void): void {
    this.#loop.callers.transfer(target, done);
  }

  /**
   * `propose` without a promise. `done` is called exactly once, later, and must not throw: a throw stops the node. The bytes
   * belong to the node from here on.
   */
  proposeWith(command: Uint8Array, done: (outcome: ProposalOutcome) => void): void {
    this.#loop.callers.propose(command, done);
  }

  /** `readBarrier` without a promise. `done` is called exactly once, later, and must not throw: a throw stops the node. */
  readBarrierWith(done: (outcome: ReadOutcome) => void): void {
    this.#loop.callers.read(done);
  }

  /** Listens to an event; returns the way to stop. What a listener throws becomes an uncaught exception and harms nothing here. */
  on<Name extends keyof NodeEvents>(name: Name, listener: (payload: NodeEvents[Name]) => void): () => void {
    return this.#parts.events.on(name, listener);
  }

  /** The world that the node was opened with. */
  get environment(): Environment {
    return this.#parts.environment;
  }

  get id(): MemberId {
    return this.#parts.identity.member;
  }

  get role(): Role {
    return this.#loop.raft.role;
  }

  get term(): Term {
    return this.#loop.raft.term;
  }

  /** The leader that this server knows of; null during elections. */
  get leader(): MemberId | null {
    return this.#loop.raft.leader;
  }

  get isLeader(): boolean {
    return this.#loop.raft.role === 'leader';
  }

  /** The configuration in force: the newest in the log, committed or not. */
  get configuration(): Configuration {
    return this.#loop.raft.configuration;
  }

  /** The members in force. */
  get members(): readonly Member[] {
    return this.#loop.raft.configuration.members;
  }

  get commitIndex(): Index {
    return this.#loop.raft.commitIndex;
  }

  get appliedIndex(): Index {
    return this.#loop.appliedIndex;
  }

  status(): RaftNodeStatus {
    const { identity, listenAddress, transport, storage } = this.#parts;
    const status = this.#loop.raft.status();
    const { proposals, reads } = this.#loop.callers.waiting;
    return {
      ...status,
      appliedIndex: this.#loop.appliedIndex,
      clusterId: identity.clusterId,
      incarnation: identity.incarnation,
      listenAddress,
      peers: transport.peers(),
      pendingProposals: proposals,
      pendingReads: reads,
      logBytes: storage.logBytesSince(status.snapshot.index),
    };
  }

  /**
   * Takes nothing new, lets what is in flight finish for at most `limits.closeTimeout`, then releases sockets and files. May
   * be called again; resolves when all is released.
   */
  async close(): Promise<void> {
    if (!this.#isClosing) {
      this.#isClosing = true;
      this.#loop.close(() => this.#parts.storage.close(() => this.#resolveClosed(null)));
    }
    await this.closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #onFatal(error: RaftError): void {
    const wasClosing = this.#isClosing;
    this.#isClosing = true;
    this.#parts.environment.logger.log('error', `this server has stopped: ${error.message}`, { code: error.code });
    this.#parts.events.emit('fatal', error);
    if (!wasClosing) this.#parts.storage.close(() => this.#resolveClosed(error));
  }

  /** Watches signal and timeout of a call. Null if the signal is aborted already. */
  #callOf(options: CallOptions, giveUp: (code: 'Aborted' | 'Timeout') => void): { end(): void } | null {
    const { signal, timeout } = options;
    if (signal?.aborted === true) return null;
    if (signal === undefined && timeout === undefined) return unwatched;
    const { timers } = this.#parts.environment;
    const onAbort = (): void => {
      end();
      giveUp('Aborted');
    };
    const timer =
      timeout === undefined
        ? null
        : timers.set(timeout * 1000, () => {
            end();
            giveUp('Timeout');
          });
    const end = (): void => {
      signal?.removeEventListener('abort', onAbort);
      if (timer !== null) timers.clear(timer);
    };
    signal?.addEventListener('abort', onAbort);
    return { end };
  }
}

const unwatched = { end: () => undefined };

function abortedProposal(definite: boolean): RaftError {
  const rest = definite
    ? 'It has no effect.'
    : 'It may still take effect: find out by reading before you send it again.';
  return new RaftError('Aborted', `The command was given up by its caller. ${rest}`, { definite });
}

function timedOutProposal(definite: boolean, timeout: number | undefined): RaftError {
  if (definite) return new RaftError('Timeout', `The command was not taken within ${timeout} ms and has no effect.`);
  return new RaftError(
    'OutcomeUnknown',
    `The command was not applied within ${timeout} ms; it may still be. Find out by reading before you send it again.`,
    { definite: false },
  );
}
