/** Wrong: copies are counted by nextIndex, and off by one: who is only about to be sent the entry counts as having it. */
import { Raft } from '../raft.mjs';

class MajorityOffByOne extends Raft {
  copiesOf(index) {
    return 1 + this.others().filter((peer) => this.nextIndex[peer] >= index).length;
  }
}

export const make = (...given) => new MajorityOffByOne(...given);
