/** Wrong: a heartbeat moves the commit index before its previous entry is compared (Figure 2, AppendEntries 2 and 5). */
import { Raft } from '../raft.mjs';

class HeartbeatCommitsUnchecked extends Raft {
  appendEntries(args) {
    const isHeartbeat = args.term >= this.currentTerm && args.entries.length === 0;
    if (isHeartbeat) this.followCommit({ ...args, prevIndex: this.last().index });
    return super.appendEntries(args);
  }
}

export const make = (...given) => new HeartbeatCommitsUnchecked(...given);
