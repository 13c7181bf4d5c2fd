import type { Consensus, KvEnvironment, ProposeOutcome } from '../consensus.ts';
import { etcdErrors } from '../errors.ts';
import { windowSize } from '../machine/applied-commands.ts';
import { type CommandKind, Envelopes } from '../machine/envelope.ts';
import type { RpcStatus } from '../rpc.ts';
import type { CommandResult, KvStateMachine } from '../state-machine.ts';
import { Deadlines, type Expiring } from './deadlines.ts';
import type { KvServiceOptions } from './options.ts';
import { deadlineExceeded, refusalStatus, refused, withOutcome } from './statuses.ts';

/** What `apply` answered, or why there is no answer: then with an `outcome`. */
export type ProposalDone = (result: CommandResult | null, status: RpcStatus | null) => void;

/**
 * Carries commands into consensus, each at most once. While no leader is known a command waits here, not proposed; once it
 * is proposed nothing is ever sent again, and a deadline that passes leaves its outcome unknown.
 */
export class Proposals {
  readonly #consensus: Consensus;
  readonly #environment: KvEnvironment;
  readonly #machine: KvStateMachine;
  readonly #options: KvServiceOptions;
  readonly #envelopes: Envelopes;
  readonly #pending: Deadlines<Proposal>;
  #pendingBytes = 0;
  /** Not proposed yet, for want of a leader. */
  #waiting: Proposal[] = [];
  /** The last number given; 0 before the first. */
  #sequence = 0;
  #closed = false;

  constructor(consensus: Consensus, environment: KvEnvironment, machine: KvStateMachine, options: KvServiceOptions) {
    this.#consensus = consensus;
    this.#environment = environment;
    this.#machine = machine;
    this.#options = options;
    this.#pending = new Deadlines(environment);
    this.#envelopes = new Envelopes(options.origin);
  }

  /** `deadline` is the client's; `done` is called exactly once, `call` is asked whether it still wants an answer. */
  propose(
    kind: CommandKind,
    payload: Uint8Array,
    client: { readonly deadline: number; readonly cancelled: boolean },
    done: ProposalDone,
  ): void {
    const refusal = this.#refuse(payload);
    if (refusal !== null) {
      done(null, refused(refusal));
      return;
    }
    const deadline = Math.min(client.deadline, this.#environment.now() + this.#options.requestTimeout);
    const proposal = new Proposal(this, kind, payload, client, deadline, done);
    this.#pending.add(proposal);
    this.#pendingBytes += payload.length;
    if (this.#consensus.leadership().leader === 0n) this.#waiting.push(proposal);
    else this.#send(proposal);
  }

  /** A leader is known (again). */
  leaderFound(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const proposal of waiting) {
      if (!this.#pending.has(proposal)) continue;
      if (proposal.client.cancelled) this.#settle(proposal, null, refused(deadlineExceeded));
      else this.#send(proposal);
    }
  }

  /** Answers everything that still waits. */
  close(): void {
    this.#closed = true;
    for (const proposal of this.#pending.close()) {
      this.finish(proposal, null, withOutcome(etcdErrors.stopped, proposal.sent ? 'unknown' : 'refused'));
    }
    this.#waiting = [];
  }

  /** For proposals that are pending no more. */
  finish(proposal: Proposal, result: CommandResult | null, status: RpcStatus | null): void {
    this.#pendingBytes -= proposal.payloadBytes;
    proposal.done(result, status);
  }

  /** The first answer counts. */
  #settle(proposal: Proposal, result: CommandResult | null, status: RpcStatus | null): void {
    if (this.#pending.remove(proposal)) this.finish(proposal, result, status);
  }

  #refuse(payload: Uint8Array): RpcStatus | null {
    const options = this.#options;
    if (this.#closed) return etcdErrors.stopped;
    if (payload.length > options.maxRequestBytes) return etcdErrors.requestTooLarge;
    const { committedIndex, appliedIndex } = this.#consensus.progress();
    const crowded =
      this.#pending.size >= options.maxPendingWrites ||
      this.#pendingBytes + payload.length > options.maxPendingWriteBytes ||
      committedIndex - appliedIndex > options.maxApplyLag;
    return crowded ? etcdErrors.tooManyRequests : null;
  }

  #send(proposal: Proposal): void {
    const command = this.#envelopes.wrap(this.#nextSequence(), proposal.kind, proposal.takePayload());
    this.#consensus.propose(command, (outcome) => this.#settled(proposal, outcome));
  }

  #nextSequence(): number {
    if (this.#sequence === 0) {
      const { origin, sequenceFloor } = this.#options;
      // A whole window above what is known: a straggler of an earlier run must not pass for a command of this one.
      this.#sequence = Math.max(sequenceFloor, this.#machine.highestSequence(origin) + windowSize);
    }
    return ++this.#sequence;
  }

  #settled(proposal: Proposal, outcome: ProposeOutcome): void {
    switch (outcome.kind) {
      case 'applied':
        // Consensus hands back what this service's own machine answered.
        this.#settle(proposal, outcome.result as CommandResult, null);
        break;
      case 'refused':
        this.#settle(proposal, null, refused(refusalStatus(outcome)));
        break;
      case 'unknown':
        this.#settle(proposal, null, withOutcome(etcdErrors.timeoutDueToLeaderFail, 'unknown'));
        break;
    }
  }
}

class Proposal implements Expiring {
  readonly #proposals: Proposals;
  readonly kind: CommandKind;
  readonly client: { readonly deadline: number; readonly cancelled: boolean };
  readonly deadline: number;
  readonly done: ProposalDone;
  readonly payloadBytes: number;
  place = -1;
  /** Null once it is on its way. */
  #payload: Uint8Array | null;

  constructor(
    proposals: Proposals,
    kind: CommandKind,
    payload: Uint8Array,
    client: { readonly deadline: number; readonly cancelled: boolean },
    deadline: number,
    done: ProposalDone,
  ) {
    this.#proposals = proposals;
    this.kind = kind;
    this.#payload = payload;
    this.payloadBytes = payload.length;
    this.client = client;
    this.deadline = deadline;
    this.done = done;
  }

  get sent(): boolean {
    return this.#payload === null;
  }

  takePayload(): Uint8Array {
    const payload = this.#payload;
    if (payload === null) throw new Error('A command must not be proposed twice');
    this.#payload = null;
    return payload;
  }

  expire(): void {
    const ofClient = this.client.deadline <= this.deadline;
    const status = ofClient ? deadlineExceeded : etcdErrors.timeout;
    this.#proposals.finish(this, null, withOutcome(status, this.sent ? 'unknown' : 'refused'));
  }
}
