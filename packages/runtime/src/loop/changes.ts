import type {
  ChangeRefusal,
  ChangeResult,
  Index,
  Input,
  MemberChange,
  MemberId,
  Micros,
  Term,
  TransferResult,
} from '@quorate/raft';
import type { ChangeOutcome, TransferOutcome } from '../membership-outcome.ts';
import type { NodeLimits } from '../node-options.ts';

interface PendingChange {
  readonly changes: readonly MemberChange[];
  readonly version: number | null;
  readonly done: (outcome: ChangeOutcome) => void;
  readonly deadline: Micros;
  /** Where its first step was appended; 0 while that is not known. */
  index: Index;
  term: Term;
}

/** Changes of membership and transfers of leadership that local callers wait for. They are few. */
export class Changes {
  readonly #max: number;
  readonly #timeout: Micros;
  #gathered: PendingChange[] = [];
  readonly #changes = new Map<number, PendingChange>();
  #wantedTransfers: { readonly target: MemberId | null; readonly done: (outcome: TransferOutcome) => void }[] = [];
  readonly #transfers = new Map<number, (outcome: TransferOutcome) => void>();
  #nextId: number;

  constructor({ maxPendingChanges, requestTimeout }: NodeLimits, firstId: number) {
    this.#max = maxPendingChanges;
    this.#timeout = requestTimeout;
    this.#nextId = firstId;
  }

  get isEmpty(): boolean {
    return this.#gathered.length === 0 && this.#changes.size === 0 && this.#transfers.size === 0;
  }

  /** Nothing more is accepted for now. */
  get isFull(): boolean {
    const { size } = this.#changes;
    return this.#gathered.length + size + this.#wantedTransfers.length + this.#transfers.size >= this.#max;
  }

  change(
    changes: readonly MemberChange[],
    version: number | null,
    now: Micros,
    done: (outcome: ChangeOutcome) => void,
  ): void {
    this.#gathered.push({ changes, version, done, deadline: now + this.#timeout, index: 0, term: 0 });
  }

  transfer(target: MemberId | null, done: (outcome: TransferOutcome) => void): void {
    this.#wantedTransfers.push({ target, done });
  }

  /** Steps what has gathered. */
  flush(now: Micros, step: (input: Input) => void): void {
    if (this.#gathered.length === 0 && this.#wantedTransfers.length === 0) return;
    for (const change of this.#gathered.splice(0)) {
      const id = this.#nextId++;
      this.#changes.set(id, change);
      step({ kind: 'change', now, id, changes: change.changes, version: change.version });
    }
    for (const { target, done } of this.#wantedTransfers.splice(0)) {
      const id = this.#nextId++;
      this.#transfers.set(id, done);
      step({ kind: 'transfer', now, id, target });
    }
  }

  onChange({ id, index, term, refused, unknown }: ChangeResult, appliedIndex: Index): void {
    const change = this.#changes.get(id);
    if (change === undefined) return;
    if (refused !== null) this.#settle(id, { kind: 'refused', reason: refused });
    else if (unknown) this.#settle(id, { kind: 'unknown' });
    else if (index > appliedIndex) {
      change.index = index;
      change.term = term;
    } // Carried to the leader, and applied here before its answer came: which entry stood there is not known any more.
    else this.#settle(id, { kind: 'unknown' });
  }

  onTransfer({ id, outcome }: TransferResult): void {
    const done = this.#transfers.get(id);
    this.#transfers.delete(id);
    done?.(outcome);
  }

  /** An entry took effect here. */
  onApplied(index: Index, term: Term): void {
    if (this.#changes.size === 0) return;
    for (const [id, change] of this.#changes) {
      if (change.index !== index) continue;
      if (change.term === term) this.#settle(id, { kind: 'begun', index });
      else this.#settle(id, { kind: 'refused', reason: 'leadershipLost' });
    }
  }

  /** A snapshot took the place of everything up to `index`. */
  onRestored(index: Index): void {
    for (const [id, change] of this.#changes) {
      if (change.index > 0 && change.index <= index) this.#settle(id, { kind: 'unknown' });
    }
  }

  expire(now: Micros): void {
    for (const [id, change] of this.#changes) if (change.deadline <= now) this.#settle(id, { kind: 'unknown' });
  }

  stop(): void {
    const refused: ChangeRefusal = 'noLeader';
    for (const { done } of this.#gathered.splice(0)) done({ kind: 'refused', reason: refused });
    for (const id of this.#changes.keys()) this.#settle(id, { kind: 'unknown' });
    for (const { done } of this.#wantedTransfers.splice(0)) done('noLeader');
    for (const done of this.#transfers.values()) done('leadershipLost');
    this.#transfers.clear();
  }

  #settle(id: number, outcome: ChangeOutcome): void {
    const change = this.#changes.get(id);
    this.#changes.delete(id);
    change?.done(outcome);
  }
}
