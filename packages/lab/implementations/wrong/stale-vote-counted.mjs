/** Wrong: votes count whenever they come, also those for a candidacy that is over. */
import { Raft } from '../raft.mjs';

class StaleVoteCounted extends Raft {
  countsVote() {
    return true;
  }
}

export const make = (...given) => new StaleVoteCounted(...given);
