import type { Index, Input, MemberChange, MemberId, Micros, Output, Term } from '@quorate/raft';
import type { Environment, TimerHandle } from '../environment.ts';
import type { Settings } from '../node-options.ts';
import { type ProposalOutcome, type ReadOutcome, refusalMessage } from '../outcome.ts';
import type { ChangeOutcome, TransferOutcome } from '../membership-outcome.ts';
import { Changes } from './changes.ts';
import { type PendingProposal, Proposals } from './proposals.ts';
import { type PendingRead, Reads } from './reads.ts';

/** How often the deadlines of waiting callers are looked at. Microseconds. */
const sweepInterval = 100_000;
/** Ids of one run of a server span less than this; the first is drawn from multiples of it. */
const idSpan = 2 ** 20;

export interface CallersHost {
  isRunning(): boolean;
  isStopped(): boolean;
  /** Asks for a turn, after one more poll. */
  schedule(): void;
  /** Runs `work`; whatever it throws stops the node. */
  guard(work: () => void): void;
}

/** This server's own clients: commands and reads, from the call to the answer. Answers never come from inside the call. */
export class Callers {
  readonly #environment: Environment;
  readonly #host: CallersHost;
  readonly #proposals: Proposals;
  readonly #reads: Reads;
  readonly #changes: Changes;
  /** Refusals that wait for the next turn. */
  readonly #refused: (() => void)[] = [];
  #sweep: TimerHandle | null = null;

  constructor(environment: Environment, settings: Settings, host: CallersHost) {
    this.#environment = environment;
    this.#host = host;
    const firstId = (): number => 1 + environment.random.uint32() * idSpan;
    this.#proposals = new Proposals(settings.limits, settings.raft.maxCommandBytes, firstId());
    this.#reads = new Reads(settings.raft.maxPendingReads, settings.limits.requestTimeout, firstId());
    this.#changes = new Changes(settings.limits, firstId());
  }

  get waiting(): { readonly proposals: number; readonly reads: number } {
    return { proposals: this.#proposals.count, reads: this.#reads.count };
  }

  get isEmpty(): boolean {
    return this.#proposals.isEmpty && this.#reads.isEmpty && this.#changes.isEmpty;
  }

  /** See RaftNode.proposeWith. Null if it was refused; `done` has the reason. */
  propose(command: Uint8Array, done: (outcome: ProposalOutcome) => void): PendingProposal | null {
    const reason = this.#host.isRunning() ? this.#proposals.refusal(command.length) : 'shuttingDown';
    if (reason !== null) {
      this.#answerLater(() => done({ kind: 'refused', reason, message: refusalMessage(reason) }));
      return null;
    }
    this.#host.schedule();
    this.#startSweep();
    return this.#proposals.add(command, done, this.#environment.clock.now());
  }

  /** The caller waits no longer. True if the command certainly has no effect. Its callback is not called. */
  abandonProposal(proposal: PendingProposal): boolean {
    proposal.done = ignoreOutcome;
    return this.#proposals.abandon(proposal, { kind: 'unknown', message: 'The caller has gone.' });
  }

  /** See RaftNode.readBarrierWith. Null if it was refused; `done` has the reason. */
  read(done: (outcome: ReadOutcome) => void): PendingRead | null {
    const isRunning = this.#host.isRunning();
    if (!isRunning || this.#reads.isFull) {
      const reason = isRunning ? 'busy' : 'shuttingDown';
      this.#answerLater(() => done({ kind: 'refused', reason, message: refusalMessage(reason) }));
      return null;
    }
    this.#host.schedule();
    this.#startSweep();
    return this.#reads.add(done);
  }

  abandonRead(read: PendingRead): void {
    this.#reads.abandon(read);
  }

  /** See RaftNode.changeMembersWith. */
  change(changes: readonly MemberChange[], version: number | null, done: (outcome: ChangeOutcome) => void): void {
    const isRunning = this.#host.isRunning();
    if (!isRunning || this.#changes.isFull) {
      const reason = isRunning ? 'busy' : 'noLeader';
      this.#answerLater(() => done({ kind: 'refused', reason }));
      return;
    }
    this.#host.schedule();
    this.#startSweep();
    this.#changes.change(changes, version, this.#environment.clock.now(), done);
  }

  /** See RaftNode.transferLeadership. */
  transfer(target: MemberId | null, done: (outcome: TransferOutcome) => void): void {
    const isRunning = this.#host.isRunning();
    if (!isRunning || this.#changes.isFull) {
      this.#answerLater(() => done(isRunning ? 'busy' : 'noLeader'));
      return;
    }
    this.#host.schedule();
    this.#changes.transfer(target, done);
  }

  /** Answers those that were refused since the last turn. */
  answerRefused(): void {
    if (this.#refused.length === 0) return;
    for (const answer of this.#refused.splice(0)) answer();
  }

  /** Steps what has gathered since the last turn. */
  flush(now: Micros, hasRoomFor: (bytes: number, entries: number) => boolean, step: (input: Input) => void): void {
    this.#proposals.flush(now, hasRoomFor, step);
    this.#reads.flush(now, step);
    this.#changes.flush(now, step);
  }

  /** What the core says has become of them. */
  onOutput(output: Output, appliedIndex: Index): void {
    for (const result of output.proposals) this.#proposals.onResult(result, appliedIndex);
    for (const result of output.reads) this.#reads.onResult(result, appliedIndex);
    for (const result of output.changes) this.#changes.onChange(result, appliedIndex);
    for (const result of output.transfers) this.#changes.onTransfer(result);
  }

  /** No leader is known any more. */
  onLeaderLost(): void {
    this.#proposals.onLeaderLost(this.#environment.clock.now());
  }

  /** An entry took effect here. */
  onEntry(index: Index, term: Term, result: unknown): void {
    this.#proposals.onApplied(index, term, result);
    this.#changes.onApplied(index, term);
  }

  /** A run of entries took effect here. */
  onApplied(index: Index): void {
    this.#reads.onApplied(index);
  }

  /** The state came from a snapshot. */
  onRestored(index: Index): void {
    this.#proposals.onRestored(index);
    this.#changes.onRestored(index);
  }

  /** The node has stopped: everyone is told what is certain. */
  stop(why: string): void {
    if (this.#sweep !== null) this.#environment.timers.clear(this.#sweep);
    this.#sweep = null;
    this.#proposals.stop(why);
    this.#reads.stop();
    this.#changes.stop();
    this.answerRefused();
  }

  #answerLater(answer: () => void): void {
    this.#refused.push(answer);
    if (this.#host.isStopped()) this.#environment.timers.afterPoll(() => this.answerRefused());
    else this.#host.schedule();
  }

  #startSweep(): void {
    if (this.#sweep !== null) return;
    this.#sweep = this.#environment.timers.set(sweepInterval, () => {
      this.#sweep = null;
      this.#host.guard(() => this.#expire());
    });
  }

  #expire(): void {
    const now = this.#environment.clock.now();
    this.#proposals.expire(now);
    this.#reads.expire(now);
    this.#changes.expire(now);
    if (!this.isEmpty) this.#startSweep();
    this.#host.schedule();
  }
}

function ignoreOutcome(): void {
  // The caller has gone; nobody is left to hear.
}
