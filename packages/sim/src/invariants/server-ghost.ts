/** What is remembered of one server: as it was after the last step, and, for each of its lives, what it promised and what its disk holds. */
import type {
  Configuration,
  Incarnation,
  Index,
  MemberId,
  PersistBatch,
  Raft,
  RaftOptions,
  RaftState,
  RecoveredState,
  Role,
  Term,
  Version,
} from '@quorate/raft';
import { LeaseGhost } from './leases.ts';
import type { LogTree } from './log-tree.ts';

/** What a disk holds: a log is named by its last position. */
export interface Image {
  /** The batch that made it so; 0 for what a start found. */
  readonly id: number;
  readonly term: Term;
  readonly vote: MemberId | null;
  readonly lastIndex: Index;
  readonly lastTerm: Term;
  /** The snapshot that batches have installed; a server's own ones are in `Life.snapshot`. */
  readonly installed: Index;
}

/** One (member, incarnation): what it promised binds it for ever, and no other life of the member. */
export class Life {
  readonly incarnation: Incarnation;
  /** Votes that it sent, by term. */
  readonly votes = new Map<Term, MemberId>();
  /** The highest index that it acknowledged to the leader of each term. */
  readonly acks = new Map<Term, Index>();
  /** The highest term in any message that it sent. */
  promisedTerm: Term = 0;
  /** The newest version of the protocol that it said it speaks; 0 while it has said nothing. */
  spoke: Version = 0;
  /** What is certainly on its disk. */
  durable: Image;
  /** What its disk holds after each batch that was handed out and is not yet reported durable, oldest first. */
  pending: Image[] = [];
  /** The newest durable snapshot. */
  snapshot: Index;
  /** Its log begins behind this index. */
  base: Index;
  /** Entries whose records are known to be damaged, and the batch that repairs each; 0 while none is on its way. */
  readonly faulty = new Map<Index, number>();
  /** Of those, what it had acknowledged before: the newest term in which it did. */
  readonly ackedWhole = new Map<Index, Term>();
  /** Its directory is gone: it never comes back. */
  isLost = false;

  constructor(incarnation: Incarnation, recovered: RecoveredState) {
    this.incarnation = incarnation;
    this.durable = imageOf(recovered);
    this.snapshot = recovered.snapshot.index;
    this.base = recovered.base.index;
  }

  /** Its copy of the entry is found damaged. What it acknowledged before may still be counted: then the copy was whole. */
  noteFaulty(index: Index): void {
    if (this.faulty.has(index)) return;
    this.faulty.set(index, 0);
    let newest: Term = 0;
    for (const [term, acked] of this.acks) if (acked >= index && term > newest) newest = term;
    this.ackedWhole.set(index, newest);
  }

  /** What its disk will hold when all batches are durable. */
  get latest(): Image {
    return this.pending.at(-1) ?? this.durable;
  }

  /** What its disk holds when batch `id` is durable; null for a batch that was never handed out. */
  imageAfter(id: number): Image | null {
    if (id <= this.durable.id) return this.durable;
    return this.pending.find((image) => image.id === id) ?? null;
  }
}

export function imageOf(recovered: RecoveredState): Image {
  return {
    id: 0,
    term: recovered.hardState.term,
    vote: recovered.hardState.vote,
    lastIndex: recovered.lastIndex,
    lastTerm: lastTermOf(recovered),
    installed: recovered.snapshot.index,
  };
}

function lastTermOf({ base, termRuns }: RecoveredState): Term {
  return termRuns.at(-1)?.term ?? base.term;
}

/** The disk after one more batch: snapshot, cut, entries, term and vote, in that order. */
export function imageAfterBatch(tree: LogTree, before: Image, batch: PersistBatch): Image {
  let { lastIndex, lastTerm, installed } = before;
  if (batch.snapshot !== null) {
    installed = batch.snapshot.index;
    lastIndex = batch.snapshot.index;
    lastTerm = batch.snapshot.term;
  }
  if (batch.adopt !== null) installed = batch.adopt.index;
  if (batch.truncateFrom > 0 && batch.truncateFrom <= lastIndex) {
    lastIndex = batch.truncateFrom - 1;
    lastTerm = tree.termAt(lastIndex, lastTerm) ?? lastTerm;
  }
  const last = batch.entries.at(-1);
  return {
    id: batch.id,
    term: batch.hardState?.term ?? before.term,
    vote: batch.hardState === null ? before.vote : batch.hardState.vote,
    lastIndex: last?.index ?? lastIndex,
    lastTerm: last?.term ?? lastTerm,
    installed,
  };
}

/** What a leader knew of a follower. */
export interface Known {
  incarnation: Incarnation | null;
  match: Index;
  next: Index;
  /** The term in which these were last compared with what the follower had acknowledged; 0 if that is to be done. */
  checkedIn: Term;
}

/** A server as the last step left it. */
export class View {
  role: Role = 'follower';
  term: Term = 0;
  vote: MemberId | null = null;
  leader: MemberId | null = null;
  lastIndex: Index = 0;
  lastTerm: Term = 0;
  commitIndex: Index = 0;
  appliedIndex: Index = 0;
  /** It led, and settled its faulty entries. */
  recovering = false;
  now = 0;

  take(state: Readonly<RaftState>): void {
    const { log } = state;
    this.role = state.role;
    this.term = state.term;
    this.vote = state.vote;
    this.leader = state.leader;
    this.lastIndex = log.lastIndex;
    this.lastTerm = log.runs.at(-1)?.term ?? log.base.term;
    this.commitIndex = state.commitIndex;
    this.appliedIndex = state.appliedIndex;
    this.recovering = state.leadership?.recovering ?? false;
    this.now = state.now;
  }
}

/** A question of this server's clients, while the core owes an answer. */
export interface AskedRead {
  /** The highest index committed anywhere when it came. */
  readonly committed: Index;
  /** The newest round of this server, leading then, when it came; null if it did not lead. */
  readonly round: number | null;
  readonly term: Term;
  /** It came within a lease (leases.ts), which may have ended since. */
  readonly isLeased: boolean;
}

/** A follower's question, while this leader owes an answer; copies of it may come and are answered each. */
export interface CarriedRead {
  readonly round: number;
  readonly committed: Index;
  /** One of the copies came within a lease. */
  isLeased: boolean;
  copies: number;
}

export class ServerGhost {
  readonly id: MemberId;
  readonly lives: Life[] = [];
  readonly before = new View();
  raft: Raft;
  options: RaftOptions;
  life: Life;
  isRunning = true;
  /** It stopped by itself, with this code. */
  fatal: string | null = null;
  /** A sync of its disk failed in this run. */
  hasFailedSync = false;
  /** Entries found damaged since the last output. */
  readonly foundFaulty = new Set<Index>();
  /** Messages that wait for a batch. */
  held: { readonly message: object; readonly after: number }[] = [];
  /** Where the configuration was defined that was in force when an output was last taken. */
  configurationAtOutput: Index = 0;
  /** The last two configurations that were compared and found to be the same: of the log, and of the server. */
  readonly agreed: { expected: Configuration | null; found: Configuration | null } = { expected: null, found: null };
  /** While it leads: what it knew of the others, and the newest round that each has answered. */
  readonly known = new Map<MemberId, Known>();
  readonly rounds = new Map<MemberId, number>();
  readonly lease = new LeaseGhost();
  /** Candidates whose log was up to date when they asked for this server's vote, by term. */
  readonly fit = new Map<Term, Set<MemberId>>();
  /** The last index that the state machine took in, and a digest of its state. */
  machineIndex: Index = 0;
  readonly reads = new Map<number, AskedRead>();
  readonly carriedReads = new Map<string, CarriedRead>();
  readonly proposals = new Map<number, readonly Uint8Array[]>();

  constructor(id: MemberId, raft: Raft, options: RaftOptions, life: Life) {
    this.id = id;
    this.raft = raft;
    this.options = options;
    this.life = life;
    this.lives.push(life);
  }

  /** A run of the server begins; its state machine has applied everything up to `applied`. */
  begin({ applied, hardState }: RecoveredState): void {
    this.isRunning = true;
    this.fatal = null;
    this.hasFailedSync = false;
    this.held = [];
    this.foundFaulty.clear();
    this.configurationAtOutput = 0;
    this.known.clear();
    this.rounds.clear();
    this.lease.begin(hardState.term);
    this.machineIndex = applied;
    this.reads.clear();
    this.carriedReads.clear();
    this.proposals.clear();
  }

  end(): void {
    this.isRunning = false;
  }

  /** The life that counts for this member in `configuration`; while none is bound, any of them may. */
  countingLives(configuration: Configuration): readonly Life[] {
    const bound = configuration.members.find((member) => member.id === this.id)?.incarnation ?? null;
    return bound === null ? this.lives : this.lives.filter((life) => life.incarnation === bound);
  }
}
