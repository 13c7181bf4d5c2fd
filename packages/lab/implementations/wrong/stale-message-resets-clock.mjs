/** Wrong: a leader of an earlier term still puts off elections (§5.2: only the current leader, and a vote that is given, do). */
import { Raft } from '../raft.mjs';

class StaleMessageResetsClock extends Raft {
  appendEntries(args) {
    this.resetElectionTimer();
    return super.appendEntries(args);
  }
}

export const make = (...given) => new StaleMessageResetsClock(...given);
