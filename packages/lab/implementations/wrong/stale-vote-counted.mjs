/** Wrong: a vote that was asked for in an earlier term counts in this one. */
import { Raft } from '../raft.mjs';

class StaleVoteCounted extends Raft {
  countsVote() {
    return this.role === 'candidate';
  }
}

export const make = (...given) => new StaleVoteCounted(...given);
