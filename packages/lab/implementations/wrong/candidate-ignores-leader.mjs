/** Wrong: a candidate ignores AppendEntries of its own term, though they show that another has won it (§5.2). */
import { Raft } from '../raft.mjs';

class CandidateIgnoresLeader extends Raft {
  appendEntries(args) {
    if (this.role === 'candidate' && args.term === this.currentTerm) {
      return { term: this.currentTerm, success: false, next: this.last().index + 1 };
    }
    return super.appendEntries(args);
  }
}

export const make = (...given) => new CandidateIgnoresLeader(...given);
