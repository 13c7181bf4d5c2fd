/** Wrong: an entry of an earlier term is committed by counting its copies (§5.4.2, Figure 8). */
import { Raft } from '../raft.mjs';

class OldTermCommit extends Raft {
  advanceCommit() {
    for (let index = this.last().index; index > this.commitIndex; index--) {
      if (this.copiesOf(index) <= this.peers.length / 2) continue;
      this.commitIndex = index;
      this.applyCommitted();
      this.replicateSoon();
      return;
    }
  }
}

export const make = (...given) => new OldTermCommit(...given);
