/**
 * Your Raft, in handlers: the state is one object of plain data, each function answers one thing that can happen, and nothing waits. Run
 * its tests part by part:
 *
 *   npx quorate lab run --impl . --part 4A          leader election
 *   npx quorate lab run --impl . --part 4B          the log, persistence, bad networks
 *   npx quorate lab run --impl . --part snapshots   snapshots
 *
 * and one of them, with what you print: npx quorate lab run --impl . --test InitialElection --verbose
 *
 * Keep Figure 2 of the paper beside you: https://raft.github.io/raft.pdf. What is marked "Yours" is to be written.
 *
 * Each handler gets a `context`:
 *   context.me, context.servers           this server, from 0 on, and how many there are
 *   context.call(to, method, args)        asks server `to`; `request` runs there, and `reply` runs here with what it returned
 *   context.setTimer(name, min, max)      `timer` runs once with that name, between min and max milliseconds from now; again: anew
 *   context.clearTimer(name)
 *   context.save(state, snapshot)         saves both at once; `init` gets them back behind a crash
 *   context.apply({ kind: 'command', index, command })
 *                                         hands a committed command to the service: in order, without gaps, from index 1 on
 *
 * What is sent and saved is copied, and must be plain data: numbers, strings, booleans, null, arrays, objects, Uint8Array.
 */

/** Milliseconds. Heartbeats at most ten times a second; a leader must be there within five seconds of a failure. */
const ELECTION_MIN = 300;
const ELECTION_MAX = 600;

/** A server begins, with what it has saved: null for both the first time. Returns its state. */
function init(context, saved, _snapshot) {
  context.setTimer('election', ELECTION_MIN, ELECTION_MAX);
  // Figure 2, "State". Yours: the rest of it.
  return { currentTerm: saved?.currentTerm ?? 0, isLeader: false };
}

/** A timer has run out. */
function timer(_state, name, context) {
  if (name === 'election') {
    context.setTimer('election', ELECTION_MIN, ELECTION_MAX);
    // Yours (4A): a new term, a vote for yourself, and context.call(peer, 'requestVote', { … }) for each of the others.
  }
  // Yours (4A): the leader's heartbeats.
}

/** Server `from` asks; what is returned is the answer. */
function request(state, _from, method, _args, _context) {
  // Yours (4A): 'requestVote' and 'appendEntries' as in Figure 2. (4B): all five steps of the latter, and §5.4.1.
  if (method === 'requestVote') return { term: state.currentTerm, granted: false };
  return { term: state.currentTerm, success: false };
}

/** What came of a call of this server; `answer` is null if the request or the answer was lost. */
function reply(_state, _to, _method, _args, answer, _context) {
  if (answer === null) return;
  // Yours (4A): count votes, but only those for the present term. (4B): matchIndex, nextIndex, and what is committed (§5.3, §5.4.2).
}

/** The service wants `command` in the log. Answer at once; that it is appended promises nothing. */
function start(state, _command, _context) {
  // Yours (4B): if this server leads, append it, save, send it to the others soon, and say where it stands.
  return { index: 0, term: state.currentTerm, isLeader: false };
}

function getState(state) {
  return { term: state.currentTerm, isLeader: state.isLeader };
}

/** The service has its state up to and including `index` in `data`: the log need not keep that any more. */
function snapshot(_state, _index, _data, _context) {
  // Yours (snapshots): cut the log, and save both. Who is behind your log gets the snapshot by a call of yours, and hands it to its
  // service with context.apply({ kind: 'snapshot', index, term, data }).
}

export const handlers = { init, timer, request, reply, start, getState, snapshot };
