/** An answer is put to the account of what nextIndex is now, not of what was sent: two answers in another order count for more. */
import { Raft } from '../raft.mjs';

class Racy extends Raft {
  async replicateTo(peer, term) {
    const next = this.nextIndex[peer];
    if (next <= this.log[0].index) return this.sendSnapshot(peer, term);
    const before = this.entry(next - 1);
    const entries = this.log.slice(next - this.log[0].index);
    // Sent on credit, and the rest of the log with the next call.
    this.nextIndex[peer] = next + entries.length;
    const reply = await this.peers[peer].call('appendEntries', {
      term,
      prevIndex: before.index,
      prevTerm: before.term,
      entries,
      commit: this.commitIndex,
    });
    if (reply === null || this.isKilled) {
      this.nextIndex[peer] = Math.min(this.nextIndex[peer], next);
      return;
    }
    this.observeTerm(reply.term);
    if (this.role !== 'leader' || this.currentTerm !== term) return;
    if (reply.success) this.onAccepted(peer, this.nextIndex[peer] - 1);
    else this.nextIndex[peer] = Math.max(1, Math.min(reply.next, next - 1));
  }
}

export const make = (...args) => new Racy(...args);
