/** With every call the leader sends the list in which it counts what its followers have: it goes on counting. */
import { Raft } from '../raft.mjs';

class Racy extends Raft {
  async replicateTo(peer, term) {
    void this.peers[peer].call('preVote', { term: 0, lastIndex: 0, lastTerm: 0, progress: this.matchIndex });
    return super.replicateTo(peer, term);
  }
}

export const make = (...args) => new Racy(...args);
