/** C. What is committed, and what is applied (§5.3, §5.4). */
import { EntryKind, type Index, type Input, type MemberId, type Message, type Term } from '@quorate/raft';
import type { AppliedEntry } from '../watch.ts';
import type { Ghosts } from './ghosts.ts';
import { isQuorum } from './quorum.ts';
import type { Image, Life, ServerGhost } from './server-ghost.ts';

export class CommitAndApply {
  readonly #ghosts: Ghosts;

  constructor(ghosts: Ghosts) {
    this.#ghosts = ghosts;
  }

  stepped(server: ServerGhost, input: Input): void {
    const { before, raft, id } = server;
    const { state } = raft;
    const { appliedIndex, commitIndex, log, snapshot } = state;
    if (appliedIndex > commitIndex || commitIndex > log.lastIndex || snapshot.index > commitIndex) {
      const first = `snapshot, applied, commit and last index never fall along this line at ${id}`;
      this.#ghosts.broken('C1', first, `they are ${snapshot.index}, ${appliedIndex}, ${commitIndex}, ${log.lastIndex}`);
    }
    if (commitIndex < before.commitIndex || appliedIndex < before.appliedIndex) {
      const first = `${id} had committed ${before.commitIndex} and applied ${before.appliedIndex}`;
      this.#ghosts.broken('C2', first, `now ${commitIndex} and ${appliedIndex}`);
    }
    if (input.kind === 'message') {
      if (input.message.kind === 'appendEntries') this.#checkArrived(server, input.message);
    } else if (input.kind === 'applied') this.#checkAllApplied(server, input.index);
    // A leader that settles faulty entries cuts those that it is told were never committed: it must still have all that was.
    const hasCut = before.recovering && log.lastIndex < before.lastIndex;
    if (state.role === 'leader' && (before.role !== 'leader' || hasCut)) this.#checkComplete(server);
    if (commitIndex > before.commitIndex) this.#checkCommit(server);
    // Until a configuration is committed, entries may stand that somebody acknowledged before it bound him: the next answer commits them.
    if (input.kind === 'timeout' && input.name === 'heartbeat' && raft.configuration.index <= commitIndex)
      this.rest(server);
    if (state.role === 'leader' && input.kind === 'persisted')
      this.#noteDirect(server.raft.configuration.voters, server, state.term);
  }

  #checkCommit(server: ServerGhost): void {
    const { raft, id } = server;
    const { commitIndex, role, term } = raft.state;
    const own = raft.termAt(commitIndex) ?? 0;
    if (role === 'leader') this.#checkLeaderCommit(server, commitIndex, own);
    if (role === 'leader' && commitIndex > this.#ghosts.committedIndex) this.#committed(server, commitIndex, own, term);
    const committed = this.#ghosts.committedTermAt(commitIndex);
    if (committed === own || commitIndex <= this.#ghosts.tree.floor.index) return;
    const first =
      committed === null
        ? `nobody has committed entry ${commitIndex}`
        : `entry ${commitIndex}/${committed} is committed`;
    this.#ghosts.broken('C5', first, `${id} commits ${commitIndex}/${own}`);
  }

  /** §5.4.2, §6: an entry of the leader's own term, that a quorum has acknowledged and has on its disks. */
  #checkLeaderCommit(server: ServerGhost, index: Index, own: Term): void {
    const { raft, id } = server;
    const { term, configuration } = raft;
    if (own !== term)
      this.#ghosts.broken(
        'C3',
        `entry ${index} is of term ${own}`,
        `${id} commits it by counting, as leader of term ${term}`,
      );
    const hasAcked = (member: MemberId): boolean => this.#hasAcked(server, member, term, index);
    if (!isQuorum(configuration, hasAcked)) {
      const acked = configuration.members.filter((member) => hasAcked(member.id)).map((member) => member.id);
      this.#ghosts.broken(
        'C3',
        `entry ${index}/${own} is acknowledged by ${acked.join(' ') || 'nobody'}`,
        `${id} commits it`,
      );
    }
    const backs = (member: MemberId): boolean => this.#isBacked(member, index, own);
    if (isQuorum(configuration, backs)) return;
    const holders = configuration.members.filter((member) => backs(member.id)).map((member) => member.id);
    this.#ghosts.broken(
      'C4',
      `entry ${index}/${own} is on the disks of ${holders.join(' ') || 'nobody'}`,
      `${id} commits it`,
    );
  }

  /** A leader counts itself like anyone: only what is on its disk (D1'), and only incarnations that are bound count at all. */
  #hasAcked(leader: ServerGhost, member: MemberId, term: Term, index: Index): boolean {
    const bound = leader.raft.configuration.members.find((each) => each.id === member)?.incarnation ?? null;
    if (bound === null) return false;
    if (member === leader.id)
      return leader.life.incarnation === bound && holds(this.#ghosts, leader.life.durable, index, term);
    const life = this.#ghosts.servers.get(member)?.lives.find((each) => each.incarnation === bound);
    return (life?.acks.get(term) ?? 0) >= index;
  }

  /**
   * Any life of the member has it, or had it when its disk was lost or this entry was damaged: what that acknowledged may still be
   * counted.
   */
  #isBacked(member: MemberId, index: Index, term: Term): boolean {
    const lives: readonly Life[] = this.#ghosts.servers.get(member)?.lives ?? [];
    const hadIt = (life: Life): boolean => life.faulty.has(index) && life.ackedWhole.get(index) === term;
    return lives.some((life) => hasOnDisk(this.#ghosts, life, index, term) || hadIt(life));
  }

  #committed(server: ServerGhost, index: Index, own: Term, commitTerm: Term): void {
    const ghosts = this.#ghosts;
    const { committedIndex, committedTerm } = ghosts;
    const before = server.raft.termAt(committedIndex);
    if (before !== null && before !== committedTerm) {
      this.#ghosts.broken(
        'C5',
        `entry ${committedIndex}/${committedTerm} is committed`,
        `${server.id} commits a log with ${before} there`,
      );
    }
    ghosts.commit(index, own, commitTerm);
    for (const other of ghosts.servers.values()) {
      if (other === server || !other.isRunning || other.raft.role !== 'leader' || other.raft.term <= commitTerm)
        continue;
      const theirs = other.raft.termAt(index);
      if (theirs === own || index < other.raft.state.log.base.index) continue;
      const first = `${server.id} has committed entry ${index}/${own} in term ${commitTerm}`;
      this.#ghosts.broken('C6', first, `${other.id} leads term ${other.raft.term} with ${theirs ?? 'nothing'} there`);
    }
  }

  /** A new leader has all that was committed in earlier terms, known or not (§5.4.3). */
  #checkComplete(server: ServerGhost): void {
    const { raft, id } = server;
    const { term } = raft;
    const known = this.#ghosts.committedBefore(term);
    this.#mustHold(
      server,
      'C6',
      known,
      this.#ghosts.committedTermAt(known),
      `committed in term ${this.#ghosts.commitTermOf(known)}`,
    );
    for (const direct of this.#ghosts.direct.values()) {
      if (direct.term < term)
        this.#mustHold(server, "C6'", direct.index, direct.term, `acknowledged by a quorum in term ${direct.term}`);
      else if (direct.term === term)
        this.#ghosts.broken('A8', `entry ${direct.index} of term ${term} exists`, `${id} was elected in it`);
    }
  }

  #mustHold(server: ServerGhost, invariant: string, index: Index, term: Term | null, how: string): void {
    const { raft, id } = server;
    if (term === null || index <= raft.state.log.base.index || raft.termAt(index) === term) return;
    const second = `${id} was elected in term ${raft.term} with ${raft.termAt(index) ?? 'nothing'} there`;
    this.#ghosts.broken(invariant, `entry ${index}/${term} was ${how}`, second);
  }

  /** Entries that reach a server in its term or a later one agree with what it knows to be committed. */
  #checkArrived(server: ServerGhost, message: Message & { readonly kind: 'appendEntries' }): void {
    const { before, id } = server;
    if (message.term < before.term || message.prevIndex >= before.commitIndex) return;
    const last = message.entries[Math.min(message.entries.length, before.commitIndex - message.prevIndex) - 1];
    if (last === undefined || last.index <= this.#ghosts.tree.floor.index) return;
    const committed = this.#ghosts.committedTermAt(last.index);
    if (committed === last.term) return;
    const first = `${id} knows that entry ${last.index}/${committed ?? 'none'} is committed`;
    this.#ghosts.broken(
      "C5'",
      first,
      `${message.from}, leader of term ${message.term}, sends ${last.index}/${last.term}`,
    );
  }

  /** A follower's acknowledgement, or the leader's own disk, may have made a quorum: that decides, before anyone knows. */
  sent(server: ServerGhost, message: Message): void {
    const isAck =
      (message.kind === 'appendEntriesReply' && message.accepted) || message.kind === 'installSnapshotReply';
    if (!isAck) return;
    const leader = this.#ghosts.servers.get(message.to);
    if (leader === undefined || leader.raft.term !== message.term || leader.raft.role !== 'leader' || !leader.isRunning)
      return;
    this.#noteDirect([server.id], leader, message.term);
  }

  #noteDirect(members: readonly MemberId[], leader: ServerGhost, term: Term): void {
    const known = this.#ghosts.direct.get(term)?.index ?? 0;
    const { configuration } = leader.raft;
    for (const member of members) {
      const index = member === leader.id ? leader.life.durable.lastIndex : this.#ackOf(member, term);
      if (index <= known || this.#ghosts.leaderTermAt(term, index) !== term) continue;
      if (isQuorum(configuration, (each) => this.#hasAcked(leader, each, term, index)))
        this.#ghosts.direct.set(term, { index, term });
    }
  }

  #ackOf(member: MemberId, term: Term): Index {
    return this.#ghosts.servers.get(member)?.life.acks.get(term) ?? 0;
  }

  applied(server: ServerGhost, entry: AppliedEntry): void {
    const { id, machineIndex } = server;
    const { index, term, digest } = entry;
    const committed = this.#ghosts.committedTermAt(index);
    const before = this.#ghosts.committedTermAt(index - 1) ?? 0;
    const { tree, digests } = this.#ghosts;
    if (index <= machineIndex)
      this.#ghosts.broken('C7', `${id} has applied up to ${machineIndex}`, `it applies entry ${index}`);
    this.#checkNoneSkipped(server, index - 1);
    if (index > tree.floor.index) {
      const isCommitted =
        committed === term && tree.holds({ index, term, kind: EntryKind.command, data: entry.data }, before);
      if (!isCommitted)
        this.#ghosts.broken(
          'C7',
          `entry ${index} is committed with term ${committed ?? 'none'}`,
          `${id} applies another, of term ${term}`,
        );
    }
    server.machineIndex = index;
    const known = digests.get(index);
    if (known === undefined) digests.set(index, digest);
    else if (known !== digest)
      this.#ghosts.broken(
        'C8',
        `a state machine had digest ${known} after entry ${index}`,
        `that of ${id} has ${digest}`,
      );
  }

  /** What the core is told to be applied, the state machine has seen: every command of it. */
  #checkAllApplied(server: ServerGhost, index: Index): void {
    this.#checkNoneSkipped(server, index);
    server.machineIndex = Math.max(server.machineIndex, index);
  }

  #checkNoneSkipped({ id, machineIndex }: ServerGhost, to: Index): void {
    const { tree, committedTerm, committedIndex } = this.#ghosts;
    if (to > committedIndex)
      this.#ghosts.broken('C7', `nothing behind entry ${committedIndex} is committed`, `${id} applies up to ${to}`);
    for (let index = Math.max(machineIndex, tree.floor.index) + 1; index <= to; index++) {
      if (tree.kindAt(index, committedTerm) !== EntryKind.command) continue;
      this.#ghosts.broken(
        'C7',
        `${id} has applied up to ${machineIndex}`,
        `it goes on behind ${to} without command ${index}`,
      );
    }
  }

  /** Nothing that a leader was told waits to be counted: it has committed all that it could. What is faulty here, it does not count. */
  rest(server: ServerGhost): void {
    const { raft, id } = server;
    const { leadership, log, commitIndex, term } = raft.state;
    if (leadership === null || leadership.termStart > log.lastIndex || log.faulty.length > 0) return;
    for (let index = log.lastIndex; index > commitIndex && raft.termAt(index) === term; index--) {
      if (!isQuorum(raft.configuration, (member) => this.#isMatched(server, member, index))) continue;
      this.#ghosts.broken(
        'C9',
        `${id} knows that a quorum holds entry ${index}/${term}`,
        `it has committed only ${commitIndex}`,
      );
    }
  }

  #isMatched(leader: ServerGhost, member: MemberId, index: Index): boolean {
    const { state, configuration } = leader.raft;
    if ((configuration.members.find((each) => each.id === member)?.incarnation ?? null) === null) return false;
    if (member === leader.id) return state.durability.durableIndex >= index;
    return (state.leadership?.progress.find((each) => each.id === member)?.match ?? 0) >= index;
  }
}

/** Whether the life's disk has a whole copy of entry (index, term), or a snapshot that covers it. */
export function hasOnDisk(ghosts: Ghosts, life: Life, index: Index, term: Term): boolean {
  if (life.snapshot >= index || life.durable.installed >= index) return true;
  return !life.faulty.has(index) && holds(ghosts, life.durable, index, term);
}

function holds(ghosts: Ghosts, image: Image, index: Index, term: Term): boolean {
  if (index > image.lastIndex) return false;
  return index <= ghosts.tree.floor.index || ghosts.tree.termAt(index, image.lastTerm) === term;
}
