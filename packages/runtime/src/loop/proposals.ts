import type { Index, Input, Micros, ProposalResult, Term } from '@quorate/raft';
import type { NodeLimits } from '../node-options.ts';
import { type ProposalOutcome, type ProposalRefusal, refusalMessage } from '../outcome.ts';
import { NumberMap } from './number-map.ts';

/** Results of applied commands that are kept while carried proposals still wait for the leader's answer. */
const keptResults = 8192;

/** A command of a local caller, on its way to an outcome. */
export class PendingProposal {
  readonly command: Uint8Array;
  done: (outcome: ProposalOutcome) => void;
  deadline: Micros;
  id = 0;
  /** Where it was appended; 0 while that is not known. */
  index: Index = 0;
  term: Term = 0;
  isSettled = false;
  /** The list of all that wait, oldest first. */
  previous: PendingProposal | null = null;
  next: PendingProposal | null = null;

  constructor(command: Uint8Array, done: (outcome: ProposalOutcome) => void, deadline: Micros) {
    this.command = command;
    this.done = done;
    this.deadline = deadline;
  }
}

interface AppliedResult {
  readonly term: Term;
  readonly result: unknown;
}

/**
 * The commands of local callers. Each gets exactly one outcome: the result of its application here, a refusal when it is
 * certain that it has no effect, or "unknown". Nothing is ever proposed twice.
 */
export class Proposals {
  readonly #limits: NodeLimits;
  readonly #maxCommandBytes: number;
  #gathered: PendingProposal[] = [];
  /** Stepped, and not answered by the core yet. */
  readonly #byId = new NumberMap<PendingProposal>();
  /** Appended, and not applied yet. */
  readonly #byIndex = new NumberMap<PendingProposal>();
  readonly #recent = new NumberMap<AppliedResult>();
  #oldest: PendingProposal | null = null;
  #newest: PendingProposal | null = null;
  #count = 0;
  #bytes = 0;
  #nextId: number;

  /** `firstId` is drawn at random, so that an answer to an earlier run of this server is not taken for one to this. */
  constructor(limits: NodeLimits, maxCommandBytes: number, firstId: number) {
    this.#limits = limits;
    this.#maxCommandBytes = maxCommandBytes;
    this.#nextId = firstId;
  }

  get count(): number {
    return this.#count;
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** Why a command of that size is not accepted now; null if it is. */
  refusal(bytes: number): ProposalRefusal | null {
    if (bytes > this.#maxCommandBytes) return 'tooLarge';
    const { maxPendingProposals, maxPendingBytes } = this.#limits;
    return this.#count >= maxPendingProposals || this.#bytes + bytes > maxPendingBytes ? 'busy' : null;
  }

  /** Takes a command for the next `flush`. */
  add(command: Uint8Array, done: (outcome: ProposalOutcome) => void, now: Micros): PendingProposal {
    const proposal = new PendingProposal(command, done, now + this.#limits.requestTimeout);
    proposal.previous = this.#newest;
    if (this.#newest === null) this.#oldest = proposal;
    else this.#newest.next = proposal;
    this.#newest = proposal;
    this.#count++;
    this.#bytes += command.length;
    this.#gathered.push(proposal);
    return proposal;
  }

  /** Steps what has gathered, as few inputs with contiguous ids. */
  flush(now: Micros, hasRoomFor: (bytes: number, entries: number) => boolean, step: (input: Input) => void): void {
    if (this.#gathered.length === 0) return;
    const gathered = this.#gathered;
    this.#gathered = [];
    let batch: PendingProposal[] = [];
    let bytes = 0;
    const send = (): void => {
      if (batch.length === 0) return;
      if (hasRoomFor(bytes, batch.length)) this.#step(batch, now, step);
      else for (const proposal of batch) this.#refuse(proposal, 'diskFull');
      batch = [];
      bytes = 0;
    };
    for (const proposal of gathered) {
      if (proposal.isSettled) continue;
      if (bytes + proposal.command.length > this.#limits.maxProposalBatchBytes) send();
      batch.push(proposal);
      bytes += proposal.command.length;
    }
    send();
  }

  /** What the core says has become of them. */
  onResult(result: ProposalResult, appliedIndex: Index): void {
    for (let position = 0; position < result.count; position++) {
      const proposal = this.#byId.get(result.id + position);
      if (proposal === undefined) continue;
      this.#byId.delete(proposal.id);
      if (result.refused !== null) this.#refuse(proposal, result.refused);
      else if (result.unknown) this.#settle(proposal, unknownOutcome(leaderLost));
      else this.#appended(proposal, result.index + position, result.term, appliedIndex);
    }
    if (this.#byId.size === 0) this.#recent.clear();
  }

  /** An entry was applied; `result` is what the state machine answered, undefined for entries that are not commands. */
  onApplied(index: Index, term: Term, result: unknown): void {
    const proposal = this.#byIndex.get(index);
    if (proposal !== undefined) {
      this.#byIndex.delete(index);
      this.#compare(proposal, term, result);
    } else if (this.#byId.size > 0) this.#remember(index, term, result);
  }

  /** A snapshot took the place of everything up to `index`: what was to be applied there is in it, or not. */
  onRestored(index: Index): void {
    for (const [at, proposal] of this.#byIndex.entries()) {
      if (at > index) continue;
      this.#byIndex.delete(at);
      this.#settle(proposal, unknownOutcome('This server caught up by a snapshot that skipped the command.'));
    }
    this.#recent.clear();
  }

  /** The leader is lost: what it was given may yet be committed by the next one, but not in all cases, and not for long. */
  onLeaderLost(now: Micros): void {
    const deadline = now + this.#limits.leaderLossGrace;
    for (let proposal = this.#oldest; proposal !== null; proposal = proposal.next) {
      proposal.deadline = Math.min(proposal.deadline, deadline);
    }
  }

  /** Gives up what has waited too long. */
  expire(now: Micros): void {
    for (let proposal = this.#oldest; proposal !== null && proposal.deadline <= now; proposal = this.#oldest) {
      this.abandon(proposal, unknownOutcome('The command was not applied in time; it may still be.'));
    }
  }

  /** The caller waits no longer. True if the command was not handed to the core yet, so that it certainly has no effect. */
  abandon(proposal: PendingProposal, outcome: ProposalOutcome): boolean {
    if (proposal.isSettled) return false;
    const isUntouched = proposal.id === 0;
    this.#byId.delete(proposal.id);
    if (this.#byIndex.get(proposal.index) === proposal) this.#byIndex.delete(proposal.index);
    this.#settle(proposal, outcome);
    return isUntouched;
  }

  /** The node stops: what was not handed to the core is refused, all else is unknown. */
  stop(why: string): void {
    for (let proposal = this.#oldest; proposal !== null; proposal = this.#oldest) {
      if (proposal.id === 0) this.#refuse(proposal, 'shuttingDown');
      else this.abandon(proposal, unknownOutcome(why));
    }
  }

  #step(batch: readonly PendingProposal[], now: Micros, step: (input: Input) => void): void {
    const id = this.#nextId;
    this.#nextId += batch.length;
    const commands: Uint8Array[] = [];
    for (const [position, proposal] of batch.entries()) {
      proposal.id = id + position;
      this.#byId.set(proposal.id, proposal);
      commands.push(proposal.command);
    }
    step({ kind: 'propose', now, id, commands });
  }

  #appended(proposal: PendingProposal, index: Index, term: Term, appliedIndex: Index): void {
    proposal.index = index;
    proposal.term = term;
    if (index > appliedIndex) {
      const other = this.#byIndex.get(index);
      this.#byIndex.set(index, proposal);
      // The same server appended twice at one index, in two terms: only one can be committed, and it is not known which.
      if (other !== undefined) this.#settle(other, unknownOutcome('The leadership changed while the command waited.'));
      return;
    }
    // Carried to the leader, committed and applied here before its answer came.
    const recent = this.#recent.get(index);
    if (recent === undefined) {
      this.#settle(proposal, unknownOutcome('The command was probably applied, but its result is not known here.'));
    } else this.#compare(proposal, recent.term, recent.result);
  }

  #compare(proposal: PendingProposal, term: Term, result: unknown): void {
    if (proposal.term === term) this.#settle(proposal, { kind: 'applied', index: proposal.index, result });
    else this.#refuse(proposal, 'dropped');
  }

  #remember(index: Index, term: Term, result: unknown): void {
    this.#recent.set(index, { term, result });
    // Entries are applied in order.
    this.#recent.delete(index - keptResults);
  }

  #refuse(proposal: PendingProposal, reason: ProposalRefusal): void {
    this.#settle(proposal, { kind: 'refused', reason, message: refusalMessage(reason) });
  }

  #settle(proposal: PendingProposal, outcome: ProposalOutcome): void {
    if (proposal.isSettled) return;
    proposal.isSettled = true;
    if (proposal.previous === null) this.#oldest = proposal.next;
    else proposal.previous.next = proposal.next;
    if (proposal.next === null) this.#newest = proposal.previous;
    else proposal.next.previous = proposal.previous;
    proposal.previous = null;
    proposal.next = null;
    this.#count--;
    this.#bytes -= proposal.command.length;
    proposal.done(outcome);
  }
}

const leaderLost = 'The leader was lost before it said what became of the command.';

function unknownOutcome(message: string): ProposalOutcome {
  return { kind: 'unknown', message: `${message} Find out by reading before you decide to send it again.` };
}
