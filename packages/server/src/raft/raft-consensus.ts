/** What the key-value service knows of consensus, answered by a RaftNode. */
import type { BarrierOutcome, Consensus, Leadership, ProposeOutcome } from '@quorate/kv';
import type { ProposalOutcome, RaftNode, ReadOutcome } from '@quorate/runtime';

export class RaftConsensus implements Consensus {
  readonly #node: RaftNode;
  #leaderText: string | null = null;
  #leader = 0n;

  constructor(node: RaftNode) {
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

function proposeOutcome(outcome: ProposalOutcome): ProposeOutcome {
  if (outcome.kind !== 'refused') return outcome;
  // Another entry was committed in its place, which only a change of leader brings about.
  const reason = outcome.reason === 'dropped' ? 'leadershipLost' : outcome.reason;
  return { kind: 'refused', reason, message: outcome.message };
}

function barrierOutcome(outcome: ReadOutcome): BarrierOutcome {
  if (outcome.kind !== 'refused') return outcome;
  // Not confirmed in time: whoever led then does not lead a majority now. A read may ask again.
  const reason = outcome.reason === 'timeout' ? 'leadershipLost' : outcome.reason;
  return { kind: 'refused', reason, message: outcome.message };
}
