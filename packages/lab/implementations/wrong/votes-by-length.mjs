/** Wrong: the longer log gets the vote, whatever the term of its last entry (§5.4.1). */
import { Raft } from '../raft.mjs';

class VotesByLength extends Raft {
  isUpToDate({ lastIndex }) {
    return lastIndex >= this.last().index;
  }
}

export const make = (...given) => new VotesByLength(...given);
