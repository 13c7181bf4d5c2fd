/** Snapshots are sent from one buffer, which the next one fills. */
import { Raft } from '../raft.mjs';

const buffer = new Uint8Array(64 * 1024);

class Racy extends Raft {
  async sendSnapshot(peer, term) {
    const { index, term: snapshotTerm } = this.log[0];
    buffer.set(this.data);
    const data = buffer.subarray(0, this.data.length);
    const reply = await this.peers[peer].call('installSnapshot', { term, index, snapshotTerm, data });
    buffer.fill(0);
    if (reply === null || this.isKilled) return;
    this.observeTerm(reply.term);
    if (this.role === 'leader' && this.currentTerm === term) this.onAccepted(peer, index);
  }
}

export const make = (...args) => new Racy(...args);
