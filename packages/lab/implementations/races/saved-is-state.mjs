/** What is saved is the live list, onto which the next command is pushed. */
import { Raft } from '../raft.mjs';

class Racy extends Raft {
  persist() {
    const { currentTerm, votedFor, log } = this;
    this.persister.save({ currentTerm, votedFor, log }, this.data);
  }
}

export const make = (...args) => new Racy(...args);
