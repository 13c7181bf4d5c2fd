/** The arguments of an election are a field, which the next election changes while calls of this one are still on their way. */
import { Raft } from '../raft.mjs';

class Racy extends Raft {
  asked = { candidate: this.me };

  candidacy(term) {
    const { index, term: lastTerm } = this.last();
    this.asked.candidate = this.me;
    this.asked.term = term;
    this.asked.lastIndex = index;
    this.asked.lastTerm = lastTerm;
    return this.asked;
  }
}

export const make = (...args) => new Racy(...args);
