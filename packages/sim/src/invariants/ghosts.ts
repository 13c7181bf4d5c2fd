/**
 * What really happened in a cluster, remembered from outside; no core ever reads it. Invariants compare what servers do now with
 * what they promised, decided and committed before, across crashes. What all servers have compacted is forgotten, and so are terms
 * that all have left behind: memory stays flat however long a run is.
 */
import type { CoreLife } from '@quorate/runtime';
import type { Index, MemberId, Term } from '@quorate/raft';
import { Violation } from '../watch.ts';
import { Judge } from './judge.ts';
import { LogTree } from './log-tree.ts';
import { Life, ServerGhost } from './server-ghost.ts';

/** A leader, and the end of its log when it was elected. */
export interface Led {
  readonly leader: MemberId;
  readonly lastIndex: Index;
  readonly lastTerm: Term;
}

/** From this index on, entries were first committed by a leader of this term (until the next such run). */
interface CommitRun {
  readonly from: Index;
  readonly term: Term;
}

/** An entry that a quorum acknowledged to the leader of its own term (C6'). */
export interface DirectCommit {
  readonly index: Index;
  readonly term: Term;
}

/** How far the commit index moves between two prunings. */
const pruneEvery = 512;

export class Ghosts {
  readonly judge: Judge;
  readonly tree: LogTree;
  readonly servers = new Map<MemberId, ServerGhost>();
  readonly leaders = new Map<Term, Led>();
  committedIndex: Index = 0;
  /** The term of the entry at `committedIndex`. */
  committedTerm: Term = 0;
  #commitRuns: CommitRun[] = [];
  /** The newest entry known to have been acknowledged by a quorum, for each of the terms that are remembered. */
  readonly direct = new Map<Term, DirectCommit>();
  /** The state machine's digest after each command. */
  readonly digests = new Map<Index, number>();
  #prunedAt: Index = 0;
  /** The server that was asked for last. */
  #latest: ServerGhost | null = null;

  constructor(judge = new Judge(null)) {
    this.judge = judge;
    this.tree = new LogTree(judge);
  }

  /** An invariant does not hold: see `Judge`. */
  broken(invariant: string, first: string, second: string): void {
    this.judge.broken(invariant, first, second);
  }

  server(id: MemberId): ServerGhost {
    // What a server is seen to do comes in runs.
    if (this.#latest?.id === id) return this.#latest;
    const server = this.servers.get(id);
    if (server === undefined) throw new Violation('M', `${id} was never started`, 'something happens in it');
    this.#latest = server;
    return server;
  }

  /** A core begins. Returns the server, and whether this life of it was known before. */
  start(id: MemberId, { options, recovered, raft }: CoreLife): { server: ServerGhost; isKnown: boolean } {
    // A server that waits to be let in founds nothing.
    if (!this.tree.isFounded && recovered.snapshot.configuration.members.length > 0) {
      if (recovered.lastIndex > recovered.snapshot.index) {
        throw new RangeError(
          'Invariants have to see a cluster from its creation on: its first server must not have a log yet.',
        );
      }
      const { index, term, configuration } = recovered.snapshot;
      this.tree.found({ index, term, chain: this.tree.floor.chain }, configuration);
      this.committedIndex = index;
      this.committedTerm = term;
      this.#commitRuns = [{ from: 0, term }];
    }
    let server = this.servers.get(id);
    let life = server?.lives.find((each) => each.incarnation === options.incarnation);
    const isKnown = life !== undefined;
    life ??= new Life(options.incarnation, recovered);
    if (server === undefined) {
      server = new ServerGhost(id, raft, options, life);
      this.servers.set(id, server);
    } else if (!isKnown) {
      for (const lost of server.lives) lost.isLost = true;
      server.lives.push(life);
    }
    server.raft = raft;
    server.options = options;
    server.life = life;
    return { server, isKnown };
  }

  /** The term of entry `index` in the log of the leader of `term`. Null if it has none, or all have compacted it. */
  leaderTermAt(term: Term, index: Index): Term | null {
    const branch = this.tree.branch(term);
    if (branch !== undefined && index >= branch.first) return index <= branch.last ? term : null;
    const led = this.leaders.get(term);
    return led === undefined || index > led.lastIndex ? null : this.tree.termAt(index, led.lastTerm);
  }

  committedTermAt(index: Index): Term | null {
    return index > this.committedIndex ? null : this.tree.termAt(index, this.committedTerm);
  }

  /** A leader of `commitTerm` has committed its log up to (index, term). */
  commit(index: Index, term: Term, commitTerm: Term): void {
    if (this.#commitRuns[this.#commitRuns.length - 1]?.term !== commitTerm) {
      this.#commitRuns.push({ from: this.committedIndex + 1, term: commitTerm });
    }
    this.committedIndex = index;
    this.committedTerm = term;
    if (index - this.#prunedAt >= pruneEvery) this.#prune();
  }

  /** The last entry that was committed by a leader of a term before `term`. */
  committedBefore(term: Term): Index {
    let end = this.committedIndex;
    for (let at = this.#commitRuns.length - 1; at >= 0; at--) {
      const run = this.#commitRuns[at];
      if (run === undefined || run.term < term) return end;
      end = run.from - 1;
    }
    return end;
  }

  /** The term in which entry `index` was first known to be committed. */
  commitTermOf(index: Index): Term {
    return this.#commitRuns.findLast((run) => run.from <= index)?.term ?? 0;
  }

  #prune(): void {
    this.#prunedAt = this.committedIndex;
    let base = this.committedIndex;
    let term = Number.POSITIVE_INFINITY;
    for (const { life } of this.servers.values()) {
      base = Math.min(base, life.base);
      term = Math.min(term, life.durable.term);
    }
    this.tree.prune(base, this.committedTerm);
    this.#pruneDigests(base);
    this.#pruneTerms(term);
    const kept = this.#commitRuns.findLastIndex((run) => run.from <= base);
    if (kept > 0) this.#commitRuns = this.#commitRuns.slice(kept);
  }

  /** The digest of the newest command up to the floor stays: a snapshot there must have it. */
  #pruneDigests(floor: Index): void {
    let newest: Index = 0;
    for (const index of this.digests.keys()) if (index <= floor && index > newest) newest = index;
    for (const index of this.digests.keys()) if (index < newest) this.digests.delete(index);
  }

  /** No server will be, or say anything, in a term before `term` again; a leader of such a term may still be waking up. */
  #pruneTerms(term: Term): void {
    const isPast = (each: Term): boolean => each < term && this.tree.branch(each) === undefined;
    for (const each of this.leaders.keys()) if (isPast(each)) this.leaders.delete(each);
    for (const each of this.direct.keys()) if (isPast(each)) this.direct.delete(each);
    for (const server of this.servers.values()) {
      for (const life of server.lives) {
        for (const each of life.votes.keys()) if (isPast(each)) life.votes.delete(each);
        for (const each of life.acks.keys()) if (isPast(each)) life.acks.delete(each);
      }
      for (const each of server.fit.keys()) if (isPast(each)) server.fit.delete(each);
    }
  }
}
