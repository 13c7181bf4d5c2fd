/** The answer is an object of the server's state, which goes on changing. */
import { Raft } from '../raft.mjs';

class Racy extends Raft {
  answer = { term: 0, granted: false };

  requestVote(args) {
    Object.assign(this.answer, super.requestVote(args));
    return this.answer;
  }
}

export const make = (...args) => new Racy(...args);
