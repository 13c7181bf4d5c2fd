/** B. What stands in logs, and what is said about them (§5.3). */
import type {
  AppendEntries,
  AppendEntriesReply,
  Entry,
  Index,
  Input,
  MemberId,
  Message,
  Output,
  PersistBatch,
  Term,
} from '@quorate/raft';
import type { Ghosts } from './ghosts.ts';
import { type Image, imageAfterBatch, type ServerGhost } from './server-ghost.ts';

export class Logs {
  readonly #ghosts: Ghosts;
  /** Entries that were checked last: followers are mostly sent the very same list. */
  #checked: { readonly entries: readonly Entry[]; readonly term: Term; readonly prevIndex: Index } | null = null;

  constructor(ghosts: Ghosts) {
    this.#ghosts = ghosts;
  }

  stepped(server: ServerGhost, input: Input): void {
    const { before, raft } = server;
    const { log } = raft.state;
    const isWhole =
      log.lastIndex >= before.lastIndex &&
      (before.lastIndex < log.base.index || raft.termAt(before.lastIndex) === before.lastTerm);
    if (!isWhole || log.base.index > before.lastIndex) this.#checkCut(server, input);
    if (raft.role === 'leader' && server.known.size > 0) this.#checkKnown(server, input);
  }

  /** The log was cut, or a snapshot replaced it. */
  #checkCut(server: ServerGhost, input: Input): void {
    const { before, raft, id } = server;
    // Before its term begins, a leader cuts what a majority says it never had (repair.ts): Append-Only holds from there on.
    if (before.recovering && input.kind === 'message' && input.message.kind === 'fetchEntriesReply') return;
    if (before.role === 'leader' && raft.role === 'leader' && raft.term === before.term) {
      const second = `its log ends at ${raft.lastIndex} now and holds term ${raft.termAt(before.lastIndex)} there`;
      this.#ghosts.broken(
        'B2',
        `${id} leads term ${raft.term} with a log to ${before.lastIndex}/${before.lastTerm}`,
        second,
      );
      return;
    }
    if (input.kind !== 'message') {
      this.#ghosts.broken(
        'B5',
        `${id} had a log to ${before.lastIndex}/${before.lastTerm}`,
        `it cut it because of ${input.kind}`,
      );
      return;
    }
    const { message } = input;
    if (message.kind === 'installSnapshot' && message.snapshot.index > before.commitIndex) return;
    if (message.kind === 'appendEntries') this.#checkConflict(server, message);
    else
      this.#ghosts.broken(
        'B5',
        `${id} had a log to ${before.lastIndex}/${before.lastTerm}`,
        `it cut it because of a ${message.kind}`,
      );
  }

  /** Only an entry of another term at the same index cuts, and never what is committed (Figure 2, step 3). */
  #checkConflict(server: ServerGhost, message: AppendEntries): void {
    const { before, raft, id } = server;
    const conflict = message.entries.find((entry) => {
      const own = entry.index <= before.lastIndex ? this.#ghosts.tree.termAt(entry.index, before.lastTerm) : null;
      return entry.index > before.commitIndex && own !== entry.term;
    });
    const first = `${id} had a log to ${before.lastIndex}/${before.lastTerm}, committed to ${before.commitIndex}`;
    if (conflict === undefined || conflict.index > before.lastIndex) {
      this.#ghosts.broken('B5', first, `it cut it although no entry from ${message.from} contradicts it`);
      return;
    }
    const kept = this.#ghosts.tree.termAt(conflict.index - 1, before.lastTerm);
    if (kept === null || raft.termAt(conflict.index - 1) === kept || conflict.index - 1 < raft.state.log.base.index)
      return;
    this.#ghosts.broken('B5', first, `a conflict at ${conflict.index} cut more than what lies from there on`);
  }

  /** A refusal never undercuts what was acknowledged, nor leads forward. What else an input says of a follower is noted. */
  #checkKnown(server: ServerGhost, input: Input): void {
    if (input.kind === 'message') {
      const { message } = input;
      const isRefusal =
        message.kind === 'appendEntriesReply' && !message.accepted && message.term === server.before.term;
      this.#noteKnown(server, message.from, isRefusal ? message.index : null);
    } else if (input.kind === 'unreachable' || input.kind === 'snapshotSent') {
      this.#noteKnown(server, input.peer, null);
    } else if (input.kind === 'loaded' || input.kind === 'loadFailed') {
      for (const peer of server.known.keys()) this.#noteKnown(server, peer, null);
    }
  }

  #noteKnown(server: ServerGhost, peer: MemberId, refused: Index | null): void {
    const progress = server.raft.state.leadership?.progress.find((each) => each.id === peer);
    const known = server.known.get(peer);
    if (progress === undefined || known === undefined) return;
    const { match, next } = progress;
    if (
      refused !== null &&
      progress.state !== 'snapshot' &&
      (match !== known.match || next <= match || next > known.next)
    ) {
      const first = `${server.id} had ${peer} at match ${known.match}, next ${known.next}`;
      this.#ghosts.broken('B9', first, `a refusal of ${refused} made it match ${match}, next ${next}`);
    }
    known.match = match;
    known.next = next;
    known.checkedIn = 0;
  }

  /** A batch leaves for the disk: whatever enters a log is seen here. Returns what the disk holds when it is done. */
  persisting(server: ServerGhost, batch: PersistBatch): Image {
    const { tree } = this.#ghosts;
    const { raft, id } = server;
    const { latest } = server.life;
    const image = imageAfterBatch(tree, latest, { ...batch, entries: [] });
    let { lastIndex, lastTerm } = image;
    for (const entry of batch.entries) {
      if (entry.index !== lastIndex + 1 || entry.term < lastTerm || entry.term > raft.term) {
        const second = `entry ${entry.index} of term ${entry.term} is to stand behind it`;
        this.#ghosts.broken('B1', `${id} is in term ${raft.term} and its log ends at ${lastIndex}/${lastTerm}`, second);
      }
      tree.enter(id, entry, lastTerm, this.#ghosts.leaders.get(entry.term)?.leader ?? null);
      lastIndex = entry.index;
      lastTerm = entry.term;
    }
    return { ...image, lastIndex, lastTerm };
  }

  output(server: ServerGhost, output: Output): void {
    for (const { message, after } of output.send) {
      if (message.kind === 'appendEntries') this.#checkSlice(server, message);
      else if (message.kind === 'appendEntriesReply') this.#checkReply(server, message, after);
      else if (message.kind === 'installSnapshotReply')
        this.#checkAck(server, message.to, message.term, message.index, after);
    }
    if (server.raft.role === 'leader') this.#checkProgress(server);
    else if (server.known.size > 0) server.known.clear();
  }

  #checkSlice(server: ServerGhost, message: AppendEntries): void {
    const { term, prevIndex, prevTerm, entries } = message;
    const floor = this.#ghosts.tree.floor.index;
    const own = prevIndex === 0 ? 0 : this.#ghosts.leaderTermAt(term, prevIndex);
    if (prevIndex >= floor && own !== prevTerm) {
      const first = `the log of ${server.id}, leader of term ${term}, has term ${own ?? 'none'} at ${prevIndex}`;
      this.#ghosts.broken('B7', first, `it sends entries behind ${prevIndex}/${prevTerm}`);
    }
    const last = this.#checked;
    if (entries.length === 0 || (last?.entries === entries && last.term === term && last.prevIndex === prevIndex))
      return;
    let before = prevTerm;
    for (const [at, entry] of entries.entries()) {
      const mine = this.#ghosts.leaderTermAt(term, entry.index);
      const isMine = entry.index <= floor || (mine === entry.term && this.#ghosts.tree.holds(entry, before));
      if (entry.index !== prevIndex + 1 + at || !isMine) {
        const first = `the log of ${server.id}, leader of term ${term}, has term ${mine ?? 'none'} at ${prevIndex + 1 + at}`;
        this.#ghosts.broken('B7', first, `it sends another entry ${entry.index}/${entry.term} in its place`);
      }
      before = entry.term;
    }
    this.#checked = { entries, term, prevIndex };
  }

  #checkReply(server: ServerGhost, message: AppendEntriesReply, after: number): void {
    if (message.accepted) {
      this.#checkAck(server, message.to, message.term, message.index, after);
      return;
    }
    const { index, hintIndex } = message;
    if (hintIndex <= index || hintIndex === server.raft.state.log.base.index) return;
    this.#ghosts.broken(
      'B9',
      `${server.id} refuses entries behind ${index}`,
      `it leads its leader forward to ${hintIndex}`,
    );
  }

  /** What is acknowledged stands on the disk when the message may leave, as the leader has it. */
  #checkAck(server: ServerGhost, leader: MemberId, term: Term, index: Index, after: number): void {
    if (index <= this.#ghosts.tree.floor.index) return;
    const image = server.life.imageAfter(after);
    const own = image === null || index > image.lastIndex ? null : this.#ghosts.tree.termAt(index, image.lastTerm);
    const theirs = this.#ghosts.leaderTermAt(term, index);
    if (server.life.faulty.size > 0) this.#checkWhole(server, index, after);
    if (own !== null && own === theirs) return;
    this.#ghosts.broken(
      'B6',
      `the disk of ${server.id} will end at ${image?.lastIndex ?? 'an unknown place'} when the message may leave, with term ${own ?? 'none'} at ${index}`,
      `it acknowledges ${index} to ${leader}, whose log of term ${term} has ${theirs ?? 'none'} there`,
    );
  }

  /** A damaged copy of an entry that may be uncommitted still must not help to commit it. What was found in this very turn came too late. */
  #checkWhole({ life, raft, id, foundFaulty }: ServerGhost, acked: Index, after: number): void {
    for (const [index, batch] of life.faulty) {
      if (index > acked || index <= raft.commitIndex || foundFaulty.has(index) || (batch > 0 && batch <= after))
        continue;
      this.#ghosts.broken(
        'B6',
        `entry ${index}, which may be uncommitted, is damaged on the disk of ${id}`,
        `it acknowledges ${acked}`,
      );
    }
  }

  #checkProgress(server: ServerGhost): void {
    const { raft, known, id } = server;
    const { leadership, term, log } = raft.state;
    if (leadership === null) return;
    for (const progress of leadership.progress) {
      const { match, next, incarnation } = progress;
      const before = known.get(progress.id);
      // What was acknowledged in a term only grows: what has not moved since it was checked need not be looked up again.
      const isChecked = before?.checkedIn === term && before.incarnation === incarnation && before.match === match;
      if (isChecked && before.next === next && next <= log.lastIndex + 1) continue;
      // What one life of a member has acknowledged is nothing to the next.
      const old = before?.incarnation === null || before?.incarnation === incarnation ? before : undefined;
      if (
        match < (old?.match ?? 0) ||
        match >= next ||
        next > log.lastIndex + 1 ||
        match > this.#acked(progress.id, term)
      ) {
        const first = `${progress.id} has acknowledged ${this.#acked(progress.id, term)} in term ${term}; it was at match ${old?.match ?? 0}`;
        this.#ghosts.broken(
          'B8',
          first,
          `${id} has it at match ${match}, next ${next}, its own log ends at ${log.lastIndex}`,
        );
      }
      known.set(progress.id, { match, next, incarnation, checkedIn: term });
    }
  }

  #acked(member: MemberId, term: Term): Index {
    let acked = 0;
    for (const life of this.#ghosts.servers.get(member)?.lives ?? []) acked = Math.max(acked, life.acks.get(term) ?? 0);
    return acked;
  }

  sent(server: ServerGhost, message: Message): void {
    const isAck =
      (message.kind === 'appendEntriesReply' && message.accepted) || message.kind === 'installSnapshotReply';
    if (!isAck) return;
    const { acks } = server.life;
    if (message.index > (acks.get(message.term) ?? 0)) acks.set(message.term, message.index);
  }
}
