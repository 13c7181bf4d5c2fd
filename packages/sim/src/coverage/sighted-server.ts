/** What coverage remembers of one server between two of its steps. */
import { electionSights } from './election-sights.ts';
import type { Index, PersistBatch, Raft, RaftOptions, RecoveredState, Role, Term, Version } from '@quorate/raft';

interface Batch {
  readonly id: number;
  readonly lastIndex: Index;
  readonly term: Term;
}

export class SightedServer {
  raft: Raft;
  isRunning = true;
  role: Role = 'follower';
  term: Term = 0;
  commitIndex: Index = 0;
  /** Election timeouts that it draws in haste. */
  hurried = 0;
  /** election-sights.ts. */
  elections = 0;
  /** The read request in flight to the leader. */
  readRequest: number | null = null;
  /** It leads, and somebody is being sent a snapshot. */
  sendsSnapshot = false;
  hasFailedSync = false;
  /** The newest configuration that it was seen to act by. */
  configurationIndex: Index = 0;
  configurationVersion = 0;
  configurationProtocol: Version;
  /** The newest version of the protocol that it speaks. */
  speaks: Version;
  /** Batches that are not reported durable, oldest first, and the last that is. */
  pending: Batch[] = [];
  durable: Batch;
  /** Its term when it last started anew; 0 if it never did. */
  restartTerm: Term = 0;
  readonly proposals = new Map<number, readonly Uint8Array[]>();

  constructor(raft: Raft, recovered: RecoveredState, { release }: RaftOptions) {
    this.raft = raft;
    this.speaks = release.max;
    this.configurationProtocol = raft.configuration.protocol;
    this.durable = { id: 0, lastIndex: recovered.lastIndex, term: recovered.hardState.term };
    this.look();
  }

  restart(raft: Raft, recovered: RecoveredState, { release }: RaftOptions): void {
    this.raft = raft;
    this.speaks = release.max;
    this.configurationProtocol = raft.configuration.protocol;
    this.isRunning = true;
    this.hasFailedSync = false;
    this.restartTerm = recovered.hardState.term;
    this.pending = [];
    this.durable = { id: 0, lastIndex: recovered.lastIndex, term: recovered.hardState.term };
    this.proposals.clear();
    this.look();
  }

  /** Remembers the server as a step has left it. */
  look(): void {
    const { role, term, commitIndex, forwarded, leadership } = this.raft.state;
    this.role = role;
    this.term = term;
    this.commitIndex = commitIndex;
    this.hurried = this.raft.state.hurriedAttempts;
    this.elections = electionSights(this.raft.state);
    this.readRequest = forwarded.readRequest;
    this.sendsSnapshot = leadership?.progress.some((progress) => progress.state === 'snapshot') ?? false;
  }

  hand({ id }: PersistBatch): void {
    this.pending.push({ id, lastIndex: this.raft.lastIndex, term: this.raft.term });
  }

  persisted(id: number): void {
    for (let batch = this.pending[0]; batch !== undefined && batch.id <= id; batch = this.pending[0]) {
      this.durable = batch;
      this.pending.shift();
    }
  }
}
