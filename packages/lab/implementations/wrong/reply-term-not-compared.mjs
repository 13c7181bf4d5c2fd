/** Wrong: an answer to AppendEntries counts whatever the term in which it was asked for, so it tells of a log that may be no more. */
import { Raft } from '../raft.mjs';

class ReplyTermNotCompared extends Raft {
  isCurrentReply() {
    return this.role === 'leader';
  }
}

export const make = (...given) => new ReplyTermNotCompared(...given);
