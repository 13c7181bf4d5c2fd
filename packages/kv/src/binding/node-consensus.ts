/**
 * What the key-value service knows of consensus, answered by a consensus node. Which node that is this room does not know: it
 * names what it needs of one, and whoever hosts both (a server process, a simulated one) brings them together.
 */
import type { BarrierOutcome, Consensus, Leadership, ProposeOutcome } from '../consensus.ts';

export interface ConsensusNode {
  proposeWith(command: Uint8Array, done: (outcome: NodeProposal) => void): void;
  readBarrierWith(done: (outcome: NodeBarrier) => void): void;
  /** 16 hexadecimal digits. */
  readonly leader: string | null;
  readonly isLeader: boolean;
  readonly term: number;
  readonly commitIndex: number;
  readonly appliedIndex: number;
  on(event: 'applied' | 'role' | 'leader', listener: () => void): () => void;
}

type Refused<Outcome> = Extract<Outcome, { readonly kind: 'refused' }>;
/** A node may refuse for one reason more than the service knows. */
type NodeProposal =
  | ProposeOutcome
  | {
      readonly kind: 'refused';
      readonly reason: Refused<ProposeOutcome>['reason'] | 'dropped';
      readonly message: string;
    };
type NodeBarrier =
  | BarrierOutcome
  | {
      readonly kind: 'refused';
      readonly reason: Refused<BarrierOutcome>['reason'] | 'timeout';
      readonly message: string;
    };

export class NodeConsensus implements Consensus {
  readonly #node: ConsensusNode;
  #leaderText: string | null = null;
  #leader = 0n;

  constructor(node: ConsensusNode) {
    this.#node = node;
  }

  propose(command: Uint8Array, done: (outcome: ProposeOutcome) => void): void {
    this.#node.proposeWith(command, (outcome) => done(proposeOutcome(outcome)));
  }

  readBarrier(done: (outcome: BarrierOutcome) => void): void {
    this.#node.readBarrierWith((outcome) => done(barrierOutcome(outcome)));
  }

  leadership(): Leadership {
    const leader = this.#node.leader;
    if (leader !== this.#leaderText) {
      this.#leaderText = leader;
      this.#leader = leader === null ? 0n : BigInt(`0x${leader}`);
    }
    return { isLeader: this.#node.isLeader, leader: this.#leader, term: this.#node.term };
  }

  progress(): { readonly appliedIndex: number; readonly committedIndex: number; readonly term: number } {
    const { appliedIndex, commitIndex, term } = this.#node;
    return { appliedIndex, committedIndex: commitIndex, term };
  }

  onApplied(listener: () => void): () => void {
    return this.#node.on('applied', () => listener());
  }

  onLeadership(listener: (leadership: Leadership) => void): () => void {
    const tell = (): void => listener(this.leadership());
    const stops = [this.#node.on('role', tell), this.#node.on('leader', tell)];
    return () => {
      for (const stop of stops) stop();
    };
  }
}

function proposeOutcome(outcome: NodeProposal): ProposeOutcome {
  if (outcome.kind !== 'refused') return outcome;
  // Another entry was committed in its place, which only a change of leader brings about.
  const reason = outcome.reason === 'dropped' ? 'leadershipLost' : outcome.reason;
  return { kind: 'refused', reason, message: outcome.message };
}

function barrierOutcome(outcome: NodeBarrier): BarrierOutcome {
  if (outcome.kind !== 'refused') return outcome;
  // Not confirmed in time: whoever led then does not lead a majority now. A read may ask again.
  const reason = outcome.reason === 'timeout' ? 'leadershipLost' : outcome.reason;
  return { kind: 'refused', reason, message: outcome.message };
}
