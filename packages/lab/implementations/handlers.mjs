/**
 * A Raft in handlers: the state is plain data, each function answers one thing that can happen, and nothing waits. It is correct, with
 * PreVote and snapshots. What Figure 2 of the paper calls "volatile" and "persistent" stands in one object; `save` hands over the latter.
 */

/** Milliseconds. */
const HEARTBEAT = 100;
const ELECTION_MIN = 300;
const ELECTION_MAX = 600;
/** Commands that are started within this time go out together. */
const GATHER = 10;

function init(context, saved, snapshot) {
  const log = saved?.log ?? [{ index: 0, term: 0 }];
  const state = {
    currentTerm: saved?.currentTerm ?? 0,
    votedFor: saved?.votedFor ?? null,
    /** Entry 0 stands for all that the snapshot holds: { index, term }. */
    log,
    data: snapshot,
    role: 'follower',
    /** What it asks the others for at present: 'preVote', 'requestVote', or nothing; and who has said yes. */
    asking: null,
    votes: [],
    /** Whether a leader has been heard within the shortest election timeout. */
    hearsLeader: false,
    commitIndex: log[0].index,
    lastApplied: log[0].index,
    isApplying: false,
    isGathering: false,
    nextIndex: [],
    matchIndex: [],
  };
  armElection(context);
  return state;
}

// What the service calls.

function start(state, command, context) {
  if (state.role !== 'leader') return { index: 0, term: state.currentTerm, isLeader: false };
  const entry = { index: last(state).index + 1, term: state.currentTerm, command };
  state.log = [...state.log, entry];
  save(state, context);
  if (!state.isGathering) context.setTimer('gather', GATHER, GATHER);
  state.isGathering = true;
  // A cluster of one is its own majority.
  advanceCommit(state, context);
  return { index: entry.index, term: entry.term, isLeader: true };
}

function getState(state) {
  return { term: state.currentTerm, isLeader: state.role === 'leader' };
}

function snapshot(state, index, data, context) {
  const base = state.log[0].index;
  if (index <= base) return;
  state.log = [{ index, term: entryAt(state, index).term }, ...state.log.slice(index - base + 1)];
  state.data = data;
  save(state, context);
}

function timer(state, name, context) {
  if (name === 'election') stand(state, context);
  else if (name === 'leader') state.hearsLeader = false;
  else if (name === 'heartbeat') replicateToAll(state, context);
  else if (name === 'gather') {
    state.isGathering = false;
    replicateToAll(state, context);
  }
}

// What peers ask for, and what came of what this server asked for.

const requests = {
  preVote: onPreVote,
  requestVote: onRequestVote,
  appendEntries: onAppendEntries,
  installSnapshot: onInstallSnapshot,
};
const replies = { preVote: onVote, requestVote: onVote, appendEntries: onAppended, installSnapshot: onInstalled };

function request(state, from, method, args, context) {
  const answer = requests[method](state, from, args, context);
  return { ...answer, term: state.currentTerm };
}

function reply(state, to, method, args, answer, context) {
  if (answer === null) return;
  observeTerm(state, answer.term, context);
  replies[method](state, to, args, answer, context, method);
}

// Elections (§5.2; PreVote: dissertation §9.6).

/** Asks first whether it could win; only then does it begin a term. */
function stand(state, context) {
  ask(state, 'preVote', state.currentTerm + 1, context);
}

function campaign(state, context) {
  state.role = 'candidate';
  state.currentTerm += 1;
  state.votedFor = context.me;
  save(state, context);
  ask(state, 'requestVote', state.currentTerm, context);
}

function ask(state, method, term, context) {
  armElection(context);
  state.asking = method;
  state.votes = [context.me];
  const { index: lastIndex, term: lastTerm } = last(state);
  for (const peer of others(context)) context.call(peer, method, { term, lastIndex, lastTerm });
  onElected(state, context);
}

/** Would it vote for that server? Whoever hears its leader would not, so a server that comes back disturbs nobody. */
function onPreVote(state, _from, args) {
  const hearsLeader = state.role === 'leader' || state.hearsLeader;
  return { granted: !hearsLeader && args.term > state.currentTerm && isUpToDate(state, args) };
}

function onRequestVote(state, from, args, context) {
  observeTerm(state, args.term, context);
  const isFree = state.votedFor === null || state.votedFor === from;
  const isGranted = args.term === state.currentTerm && isFree && isUpToDate(state, args);
  if (isGranted) {
    state.votedFor = from;
    save(state, context);
    armElection(context);
  }
  return { granted: isGranted };
}

/** A yes counts for what is asked for now, and for no earlier term. */
function onVote(state, from, args, answer, context, method) {
  const term = method === 'preVote' ? state.currentTerm + 1 : state.currentTerm;
  if (!answer.granted || state.asking !== method || args.term !== term || state.votes.includes(from)) return;
  state.votes.push(from);
  onElected(state, context);
}

function onElected(state, context) {
  if (state.votes.length <= context.servers / 2) return;
  if (state.asking === 'preVote') campaign(state, context);
  else if (state.asking === 'requestVote') lead(state, context);
}

function lead(state, context) {
  state.role = 'leader';
  state.asking = null;
  context.clearTimer('election');
  state.nextIndex = Array.from({ length: context.servers }, () => last(state).index + 1);
  state.matchIndex = Array.from({ length: context.servers }, () => 0);
  replicateToAll(state, context);
}

/** §5.4.1: the later last term is more up-to-date; with equal terms the longer log. */
function isUpToDate(state, { lastIndex, lastTerm }) {
  const { index, term } = last(state);
  return lastTerm !== term ? lastTerm > term : lastIndex >= index;
}

// Replication (§5.3) and snapshots (§7).

function replicateToAll(state, context) {
  if (state.role !== 'leader') return;
  context.setTimer('heartbeat', HEARTBEAT, HEARTBEAT);
  for (const peer of others(context)) replicateTo(state, peer, context);
}

function replicateTo(state, peer, context) {
  const { currentTerm: term, commitIndex: commit, data } = state;
  const [base] = state.log;
  const next = state.nextIndex[peer];
  if (next <= base.index) {
    context.call(peer, 'installSnapshot', { term, index: base.index, snapshotTerm: base.term, data });
    return;
  }
  const before = entryAt(state, next - 1);
  const entries = state.log.slice(next - base.index);
  context.call(peer, 'appendEntries', { term, prevIndex: before.index, prevTerm: before.term, entries, commit });
}

function onAppendEntries(state, _from, args, context) {
  if (args.term < state.currentTerm) return { success: false };
  acceptLeader(state, args.term, context);
  const base = state.log[0].index;
  if (args.prevIndex < base) return { success: false, next: base + 1 };
  const before = entryAt(state, args.prevIndex);
  if (before === undefined) return { success: false, next: last(state).index + 1 };
  if (before.term !== args.prevTerm) return { success: false, next: firstOfTerm(state, args.prevIndex) };
  takeEntries(state, args.entries, context);
  // What this very message has shown to match, and no more.
  commitTo(state, Math.min(args.commit, args.prevIndex + args.entries.length), context);
  return { success: true };
}

/** An entry that conflicts goes, with all behind it; one that is there already stays, for this message may be an old one. */
function takeEntries(state, entries, context) {
  const isNew = (entry) => entryAt(state, entry.index)?.term !== entry.term;
  const first = entries.findIndex(isNew);
  if (first === -1) return;
  const kept = state.log.slice(0, entries[first].index - state.log[0].index);
  state.log = [...kept, ...entries.slice(first)];
  save(state, context);
}

function onAppended(state, from, args, answer, context) {
  if (state.role !== 'leader' || state.currentTerm !== args.term) return;
  if (answer.success) {
    onMatch(state, from, args.prevIndex + args.entries.length, context);
    return;
  }
  const next = Math.min(answer.next, args.prevIndex);
  // Another refusal was here first.
  if (state.nextIndex[from] <= next) return;
  state.nextIndex[from] = Math.max(state.matchIndex[from] + 1, next);
  replicateTo(state, from, context);
}

function onInstallSnapshot(state, _from, args, context) {
  if (args.term < state.currentTerm) return {};
  acceptLeader(state, args.term, context);
  if (args.index <= state.commitIndex) return {};
  const holdsIt = entryAt(state, args.index)?.term === args.snapshotTerm;
  const rest = holdsIt ? state.log.slice(args.index - state.log[0].index + 1) : [];
  state.log = [{ index: args.index, term: args.snapshotTerm }, ...rest];
  state.data = args.data;
  state.commitIndex = args.index;
  state.lastApplied = args.index;
  save(state, context);
  context.apply({ kind: 'snapshot', index: args.index, term: args.snapshotTerm, data: args.data });
  return {};
}

function onInstalled(state, from, args, _answer, context) {
  if (state.role === 'leader' && state.currentTerm === args.term) onMatch(state, from, args.index, context);
}

function onMatch(state, peer, index, context) {
  if (index <= state.matchIndex[peer]) return;
  state.matchIndex[peer] = index;
  state.nextIndex[peer] = Math.max(state.nextIndex[peer], index + 1);
  if (advanceCommit(state, context)) replicateToAll(state, context);
}

/** §5.4.2: only an entry of the own term is committed by counting; what stands before it goes with it. */
function advanceCommit(state, context) {
  for (let index = last(state).index; index > state.commitIndex; index--) {
    if (entryAt(state, index).term !== state.currentTerm) return false;
    const copies = 1 + others(context).filter((peer) => state.matchIndex[peer] >= index).length;
    if (copies > context.servers / 2) {
      commitTo(state, index, context);
      return true;
    }
  }
  return false;
}

/** While the service applies a command it may hand over a snapshot: this loop is never entered twice. */
function commitTo(state, index, context) {
  state.commitIndex = Math.max(state.commitIndex, index);
  if (state.isApplying) return;
  state.isApplying = true;
  while (state.lastApplied < state.commitIndex) {
    const entry = entryAt(state, state.lastApplied + 1);
    state.lastApplied = entry.index;
    context.apply({ kind: 'command', index: entry.index, command: entry.command });
  }
  state.isApplying = false;
}

// Terms.

/** "If RPC request or response contains term T > currentTerm: set currentTerm = T, convert to follower" (Figure 2). */
function observeTerm(state, term, context) {
  if (term <= state.currentTerm) return;
  if (state.role === 'leader') armElection(context);
  state.currentTerm = term;
  state.votedFor = null;
  state.role = 'follower';
  state.asking = null;
  save(state, context);
}

function acceptLeader(state, term, context) {
  observeTerm(state, term, context);
  state.role = 'follower';
  state.asking = null;
  state.hearsLeader = true;
  context.setTimer('leader', ELECTION_MIN, ELECTION_MIN);
  armElection(context);
}

function armElection(context) {
  context.setTimer('election', ELECTION_MIN, ELECTION_MAX);
}

// The log.

function last(state) {
  return state.log[state.log.length - 1];
}

function entryAt(state, index) {
  return state.log[index - state.log[0].index];
}

function firstOfTerm(state, index) {
  const { term } = entryAt(state, index);
  let first = index;
  while (first > state.log[0].index + 1 && entryAt(state, first - 1).term === term) first -= 1;
  return first;
}

function others(context) {
  return Array.from({ length: context.servers }, (_, peer) => peer).filter((peer) => peer !== context.me);
}

function save({ currentTerm, votedFor, log, data }, context) {
  context.save({ currentTerm, votedFor, log }, data);
}

export const handlers = { init, start, getState, request, reply, timer, snapshot };
