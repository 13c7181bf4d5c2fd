/**
 * Your Raft, in the async style: loops that sleep, calls that are awaited. Run its tests part by part:
 *
 *   npx quorate lab run --impl . --part 4A          leader election
 *   npx quorate lab run --impl . --part 4B          the log, persistence, bad networks
 *   npx quorate lab run --impl . --part snapshots   snapshots
 *
 * and one of them, with what you print: npx quorate lab run --impl . --test InitialElection --verbose
 *
 * Keep Figure 2 of the paper beside you: https://raft.github.io/raft.pdf. What is marked "Yours" is to be written.
 *
 * Timers, Date, performance.now and Math.random are the test's: five virtual minutes pass in seconds, and a seed repeats a run exactly.
 * So sleep and wait as usual, but import nothing from node:timers. What is sent and saved is copied, and must be plain data: numbers,
 * strings, booleans, null, arrays, objects, Uint8Array.
 */

/** Milliseconds. At most ten heartbeats a second; a leader must be there within five seconds of a failure. */
const HEARTBEAT = 100;

const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

class Raft {
  /**
   * Server `me` of peers.length, numbered from 0. Return at once: what goes on runs in loops that nobody awaits.
   *
   * peers[i].call(method, args) calls the method of that name of server i, and resolves to its answer, or to null if the request or the
   * answer was lost. That can take seconds, so never await one server before you ask the next. The method runs on the other server's
   * object, of this same class, with a copy of `args`.
   *
   * persister.save(state, snapshot) saves both at once; readState() and readSnapshot() give them back behind a crash, null at first.
   *
   * apply({ kind: 'command', index, command }) hands a committed command to the service: in order, without gaps, from index 1 on. Not
   * before this constructor has ended.
   */
  constructor(peers, me, persister, apply) {
    this.peers = peers;
    this.me = me;
    this.persister = persister;
    this.apply = apply;
    this.isKilled = false;
    this.isLeader = false;
    // Figure 2, "Persistent state". Yours: what of it was saved, and the rest of the state.
    this.currentTerm = 0;
    void this.electionLoop();
  }

  /** Stand for election when no leader was heard for an election timeout, chosen anew at random each time (§5.2). */
  async electionLoop() {
    while (!this.isKilled) {
      await sleep(HEARTBEAT);
      // Yours (4A): is it time? Then a new term, a vote for yourself, requestVote to all at once; a majority makes you leader.
    }
  }

  /** A candidate calls it: `this.peers[i].call('requestVote', { … })` there ends up here. What is returned is the answer. */
  requestVote(_args) {
    // Yours (4A): Figure 2, "RequestVote RPC". (4B): §5.4.1, only for a log that is at least as up to date as yours.
    return { term: this.currentTerm, granted: false };
  }

  /** The leader calls it, with entries or as a heartbeat. */
  appendEntries(_args) {
    // Yours (4A): a leader is there. (4B): Figure 2, "AppendEntries RPC", all five steps.
    return { term: this.currentTerm, success: false };
  }

  /** The service wants `command` in the log. Answer at once; that it is appended promises nothing. */
  start(_command) {
    // Yours (4B): if this server leads, append it, save, send it to the others soon, and say where it stands.
    return { index: 0, term: this.currentTerm, isLeader: false };
  }

  getState() {
    return { term: this.currentTerm, isLeader: this.isLeader };
  }

  /** The service has its state up to and including `index` in `data`: the log need not keep that any more. */
  snapshot(_index, _data) {
    // Yours (snapshots): cut the log, and save both. Who is behind your log gets the snapshot by a call of yours, and hands it to its
    // service with apply({ kind: 'snapshot', index, term, data }).
  }

  /** The test needs this server no more. Loops and timers should end. */
  kill() {
    this.isKilled = true;
  }
}

export const make = (peers, me, persister, apply) => new Raft(peers, me, persister, apply);
