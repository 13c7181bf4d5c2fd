/** One object of arguments for all peers, filled in anew for each. */
import { Raft } from '../raft.mjs';

class Racy extends Raft {
  shared = {};

  async replicateTo(peer, term) {
    const next = this.nextIndex[peer];
    if (next <= this.log[0].index) return this.sendSnapshot(peer, term);
    const before = this.entry(next - 1);
    const entries = this.log.slice(next - this.log[0].index);
    Object.assign(this.shared, {
      term,
      prevIndex: before.index,
      prevTerm: before.term,
      entries,
      commit: this.commitIndex,
    });
    const reply = await this.peers[peer].call('appendEntries', this.shared);
    if (reply === null || this.isKilled) return;
    this.observeTerm(reply.term);
    if (this.role === 'leader' && this.currentTerm === term && reply.success)
      this.onAccepted(peer, before.index + entries.length);
  }
}

export const make = (...args) => new Racy(...args);
