/** An entry that was sent is marked when it is committed. */
import { Raft } from '../raft.mjs';

class Racy extends Raft {
  onAccepted(peer, index) {
    const before = this.commitIndex;
    super.onAccepted(peer, index);
    for (let at = before + 1; at <= this.commitIndex; at++) this.entry(at).isCommitted = true;
  }
}

export const make = (...args) => new Racy(...args);
