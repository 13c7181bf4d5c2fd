/**
 * Wrong: the service lets a client wait at an index, and answers it with whatever came out there. So a put that hangs at an old leader gets
 * the answer of another's that took its place, and is lost; or, if it stands in some log still, commits when nobody expects it any more.
 */
import { KvService } from '../kv-service.mjs';

class LatePut extends KvService {
  patience = 5_000;

  answerFor(_waiter, command) {
    return this.answer(command);
  }
}

export { make } from '../raft.mjs';
export const service = (host, maxRaftState) => new LatePut(host, maxRaftState);
