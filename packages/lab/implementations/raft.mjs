/**
 * A Raft in the async style, as one would write it from Figure 2 of the paper: loops that sleep, calls that are awaited. It is correct.
 * The wrong ones beside it (wrong/) each replace one of its methods.
 */

/** Milliseconds. */
const HEARTBEAT = 100;
const TICK = 10;
const ELECTION_MIN = 300;
const ELECTION_MAX = 600;

const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

export class Raft {
  role = 'follower';
  commitIndex = 0;
  lastApplied = 0;
  isKilled = false;
  nextIndex = [];
  matchIndex = [];
  /** While it leads: whether a round to this peer is to begin at once. */
  isDue = [];
  isApplying = false;
  heardLeader = Number.NEGATIVE_INFINITY;

  constructor(peers, me, persister, apply) {
    this.peers = peers;
    this.me = me;
    this.persister = persister;
    this.apply = apply;
    const saved = persister.readState();
    this.currentTerm = saved?.currentTerm ?? 0;
    this.votedFor = saved?.votedFor ?? null;
    /** Entry 0 stands for all that the snapshot holds: { index, term }. */
    this.log = saved?.log ?? [{ index: 0, term: 0 }];
    this.data = persister.readSnapshot();
    this.commitIndex = this.log[0].index;
    this.lastApplied = this.log[0].index;
    this.resetElectionTimer();
    void this.electionLoop();
  }

  // What the service calls.

  start(command) {
    if (this.role !== 'leader' || this.isKilled) return { index: 0, term: this.currentTerm, isLeader: false };
    const entry = { index: this.last().index + 1, term: this.currentTerm, command };
    this.log.push(entry);
    this.persist();
    this.replicateSoon();
    return { index: entry.index, term: entry.term, isLeader: true };
  }

  getState() {
    return { term: this.currentTerm, isLeader: this.role === 'leader' };
  }

  snapshot(index, data) {
    if (index <= this.log[0].index) return;
    const { term } = this.entry(index);
    this.log = [{ index, term }, ...this.log.slice(index - this.log[0].index + 1)];
    this.data = data;
    this.persist();
  }

  kill() {
    this.isKilled = true;
  }

  // What peers call (Figure 2; PreVote: dissertation §9.6).

  /** Would it vote for that server? Whoever hears its leader would not, so a server that comes back disturbs nobody. */
  preVote(args) {
    const hearsLeader = this.role === 'leader' || Date.now() < this.heardLeader + ELECTION_MIN;
    return { term: this.currentTerm, granted: !hearsLeader && args.term > this.currentTerm && this.isUpToDate(args) };
  }

  requestVote(args) {
    this.observeTerm(args.term);
    const isGranted = args.term === this.currentTerm && this.mayVoteFor(args.candidate) && this.isUpToDate(args);
    if (isGranted) {
      this.votedFor = args.candidate;
      this.persist();
      this.resetElectionTimer();
    }
    return { term: this.currentTerm, granted: isGranted };
  }

  appendEntries(args) {
    if (args.term < this.currentTerm) return { term: this.currentTerm, success: false };
    this.acceptLeader(args.term);
    const base = this.log[0].index;
    if (args.prevIndex < base) return { term: this.currentTerm, success: false, next: base + 1 };
    const before = this.entry(args.prevIndex);
    if (before === undefined) return { term: this.currentTerm, success: false, next: this.last().index + 1 };
    if (before.term !== args.prevTerm) {
      return { term: this.currentTerm, success: false, next: this.firstOfTerm(args.prevIndex) };
    }
    this.takeEntries(args.entries);
    this.followCommit(args);
    return { term: this.currentTerm, success: true };
  }

  installSnapshot(args) {
    if (args.term < this.currentTerm) return { term: this.currentTerm };
    this.acceptLeader(args.term);
    if (args.index <= this.commitIndex) return { term: this.currentTerm };
    const held = this.entry(args.index);
    const rest = held?.term === args.snapshotTerm ? this.log.slice(args.index - this.log[0].index + 1) : [];
    this.log = [{ index: args.index, term: args.snapshotTerm }, ...rest];
    this.data = args.data;
    this.commitIndex = args.index;
    this.lastApplied = args.index;
    this.persist();
    this.apply({ kind: 'snapshot', index: args.index, term: args.snapshotTerm, data: args.data });
    return { term: this.currentTerm };
  }

  // Elections (§5.2).

  async electionLoop() {
    while (!this.isKilled) {
      await sleep(TICK);
      if (this.role !== 'leader' && Date.now() >= this.deadline) this.stand();
    }
  }

  /** Asks first whether it could win; only then does it begin a term. */
  stand() {
    this.resetElectionTimer();
    const args = this.candidacy(this.currentTerm + 1);
    this.askAll(
      'preVote',
      args,
      () => this.currentTerm === args.term - 1 && this.role !== 'leader',
      () => this.campaign(),
    );
  }

  campaign() {
    this.role = 'candidate';
    this.currentTerm += 1;
    this.votedFor = this.me;
    this.persist();
    this.resetElectionTimer();
    const args = this.candidacy(this.currentTerm);
    this.askAll(
      'requestVote',
      args,
      (reply) => this.countsVote(reply, args),
      () => this.lead(),
    );
  }

  candidacy(term) {
    const { index: lastIndex, term: lastTerm } = this.last();
    return { term, candidate: this.me, lastIndex, lastTerm };
  }

  askAll(method, args, counts, onMajority) {
    const votes = new Set([this.me]);
    for (const peer of this.others()) void this.ask(peer, method, args, counts, votes, onMajority);
  }

  async ask(peer, method, args, counts, votes, onMajority) {
    const reply = await this.peers[peer].call(method, args);
    if (reply === null || this.isKilled) return;
    this.observeTerm(reply.term);
    if (!reply.granted || !counts(reply)) return;
    votes.add(peer);
    if (votes.size > this.peers.length / 2) onMajority();
  }

  countsVote(_reply, args) {
    return this.role === 'candidate' && this.currentTerm === args.term;
  }

  lead() {
    if (this.role === 'leader') return;
    this.role = 'leader';
    this.resetNextIndex();
    for (const peer of this.others()) void this.replicationLoop(peer, this.currentTerm);
  }

  resetNextIndex() {
    this.nextIndex = this.peers.map(() => this.last().index + 1);
    this.matchIndex = this.peers.map(() => 0);
  }

  mayVoteFor(candidate) {
    return this.votedFor === null || this.votedFor === candidate;
  }

  /** §5.4.1: the later last term is more up-to-date; with equal terms the longer log. */
  isUpToDate({ lastIndex, lastTerm }) {
    const { index, term } = this.last();
    return lastTerm !== term ? lastTerm > term : lastIndex >= index;
  }

  // Replication (§5.3).

  replicateSoon() {
    this.isDue.fill(true);
  }

  /** Heartbeats, and entries as soon as there are any. */
  async replicationLoop(peer, term) {
    const isLeading = () => !this.isKilled && this.role === 'leader' && this.currentTerm === term;
    while (isLeading()) {
      this.isDue[peer] = false;
      void this.replicateTo(peer, term);
      for (let waited = 0; waited < HEARTBEAT && isLeading() && this.isDue[peer] !== true; waited += TICK)
        await sleep(TICK);
    }
  }

  async replicateTo(peer, term) {
    const next = this.nextIndex[peer];
    if (next <= this.log[0].index) return this.sendSnapshot(peer, term);
    const before = this.entry(next - 1);
    const entries = this.log.slice(next - this.log[0].index);
    const args = { term, prevIndex: before.index, prevTerm: before.term, entries, commit: this.commitIndex };
    const reply = await this.peers[peer].call('appendEntries', args);
    if (reply === null || this.isKilled) return;
    this.observeTerm(reply.term);
    if (!this.isCurrentReply(reply, args)) return;
    if (reply.success) this.onAccepted(peer, before.index + entries.length);
    else {
      this.nextIndex[peer] = Math.max(this.matchIndex[peer] + 1, Math.min(reply.next, next - 1));
      this.isDue[peer] = true;
    }
  }

  isCurrentReply(_reply, args) {
    return this.role === 'leader' && this.currentTerm === args.term;
  }

  async sendSnapshot(peer, term) {
    const { index, term: snapshotTerm } = this.log[0];
    const reply = await this.peers[peer].call('installSnapshot', { term, index, snapshotTerm, data: this.data });
    if (reply === null || this.isKilled) return;
    this.observeTerm(reply.term);
    if (this.role === 'leader' && this.currentTerm === term) this.onAccepted(peer, index);
  }

  onAccepted(peer, index) {
    if (index < this.matchIndex[peer]) return;
    this.matchIndex[peer] = index;
    this.nextIndex[peer] = Math.max(this.nextIndex[peer], index + 1);
    this.advanceCommit();
  }

  /** §5.4.2: only an entry of the own term is committed by counting; what stands before it goes with it. */
  advanceCommit() {
    for (let index = this.last().index; index > this.commitIndex; index--) {
      if (this.entry(index).term !== this.currentTerm) return;
      if (this.copiesOf(index) <= this.peers.length / 2) continue;
      this.commitIndex = index;
      this.applyCommitted();
      this.replicateSoon();
      return;
    }
  }

  copiesOf(index) {
    return 1 + this.others().filter((peer) => this.matchIndex[peer] >= index).length;
  }

  takeEntries(entries) {
    for (const entry of entries) {
      const held = this.entry(entry.index);
      if (held?.term === entry.term) continue;
      this.log = [...this.log.slice(0, entry.index - this.log[0].index), entry];
    }
    if (entries.length > 0) this.persist();
  }

  /** What this very message has shown to match, and no more. */
  followCommit({ prevIndex, entries, commit }) {
    const known = Math.min(commit, prevIndex + entries.length);
    if (known <= this.commitIndex) return;
    this.commitIndex = known;
    this.applyCommitted();
  }

  applyCommitted() {
    if (this.isApplying) return;
    this.isApplying = true;
    while (this.lastApplied < this.commitIndex && !this.isKilled) {
      const entry = this.entry(this.lastApplied + 1);
      this.lastApplied = entry.index;
      this.apply({ kind: 'command', index: entry.index, command: entry.command });
    }
    this.isApplying = false;
  }

  // Terms.

  /** "If RPC request or response contains term T > currentTerm: set currentTerm = T, convert to follower" (Figure 2). */
  observeTerm(term) {
    if (term <= this.currentTerm) return;
    this.currentTerm = term;
    this.votedFor = null;
    this.role = 'follower';
    this.persist();
  }

  acceptLeader(term) {
    this.observeTerm(term);
    this.role = 'follower';
    this.heardLeader = Date.now();
    this.resetElectionTimer();
  }

  resetElectionTimer() {
    this.deadline = Date.now() + ELECTION_MIN + Math.random() * (ELECTION_MAX - ELECTION_MIN);
  }

  // The log.

  last() {
    return this.log[this.log.length - 1];
  }

  entry(index) {
    return this.log[index - this.log[0].index];
  }

  firstOfTerm(index) {
    const { term } = this.entry(index);
    let first = index;
    while (first > this.log[0].index + 1 && this.entry(first - 1).term === term) first -= 1;
    return first;
  }

  others() {
    return this.peers.map((_, peer) => peer).filter((peer) => peer !== this.me);
  }

  persist() {
    const { currentTerm, votedFor, log } = this;
    // A copy of the list: it grows, and what is saved must not.
    this.persister.save({ currentTerm, votedFor, log: [...log] }, this.data);
  }
}

export const make = (peers, me, persister, apply) => new Raft(peers, me, persister, apply);
