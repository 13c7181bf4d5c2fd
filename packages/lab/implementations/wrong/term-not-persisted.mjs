/** Wrong: a term learned from others is not saved (Figure 2: currentTerm is persistent), so who votes may vote again behind a crash. */
import { Raft } from '../raft.mjs';

class TermNotPersisted extends Raft {
  /** The newest term that it began itself. */
  ownTerm = this.currentTerm;

  campaign() {
    this.ownTerm = this.currentTerm + 1;
    super.campaign();
  }

  persist() {
    const { ownTerm, votedFor, log } = this;
    this.persister.save({ currentTerm: ownTerm, votedFor, log }, this.data);
  }
}

export const make = (...given) => new TermNotPersisted(...given);
