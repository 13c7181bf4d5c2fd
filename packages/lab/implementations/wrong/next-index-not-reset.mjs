/** Wrong: who wins again goes on with the nextIndex and matchIndex of its last leadership (Figure 2: reinitialized after election). */
import { Raft } from '../raft.mjs';

class NextIndexNotReset extends Raft {
  resetNextIndex() {
    if (this.nextIndex.length === 0) super.resetNextIndex();
  }
}

export const make = (...given) => new NextIndexNotReset(...given);
