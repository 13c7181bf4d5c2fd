/** D. Persist before promise, and what a disk gives back (Figure 2; dissertation §10.2.1). */
import type {
  Entry,
  Index,
  Input,
  Member,
  MemberId,
  Message,
  Outgoing,
  RecoveredState,
  Term,
  FetchEntriesReply,
  PersistBatch,
} from '@quorate/raft';
import type { DiskFaultKind } from '../disk/index.ts';
import type { Damage } from '../watch.ts';
import { hasOnDisk } from './commit-and-apply.ts';
import type { Ghosts } from './ghosts.ts';
import { isQuorum } from './quorum.ts';
import { type Image, imageOf, type Life, type ServerGhost } from './server-ghost.ts';

export class DurabilityChecks {
  readonly #ghosts: Ghosts;
  /** Whether damage may be more than a cluster can survive: then committed data may be lost, and only that. */
  readonly #isBudgeted: boolean;

  constructor(ghosts: Ghosts, isBudgeted: boolean) {
    this.#ghosts = ghosts;
    this.#isBudgeted = isBudgeted;
  }

  /** A life goes on: what storage hands out is what was promised, and nothing that was never written. */
  restarted(server: ServerGhost, recovered: RecoveredState): void {
    const { life, id } = server;
    if (life.isLost) {
      this.#ghosts.broken(
        'D8',
        `the directory of ${id} (${life.incarnation}) was lost`,
        'the same incarnation is back, without what it promised',
      );
    }
    const found = imageOf(recovered);
    this.#checkTermAndVote(server, found);
    this.#checkLog(server, recovered, found);
    this.checkContent(server, recovered);
    life.durable = found;
    life.pending = [];
    life.snapshot = recovered.snapshot.index;
    life.base = recovered.base.index;
    const marked = new Set(recovered.faulty.map(({ index }) => index));
    for (const index of life.faulty.keys()) if (!marked.has(index)) life.faulty.delete(index);
    // A repair that was on its way has not arrived.
    for (const index of life.faulty.keys()) life.faulty.set(index, 0);
    for (const index of marked) life.noteFaulty(index);
  }

  #checkTermAndVote({ life, id }: ServerGhost, found: Image): void {
    const { durable, pending } = life;
    if (found.term < durable.term || found.term < life.promisedTerm) {
      this.#ghosts.broken(
        'A1',
        `${id} had term ${Math.max(durable.term, life.promisedTerm)} on its disk`,
        `it restarts in term ${found.term}`,
      );
    }
    const isWritten = [durable, ...pending].some((image) => image.term === found.term && image.vote === found.vote);
    const wasUndone = found.term === durable.term && durable.vote !== null && found.vote !== durable.vote;
    if (isWritten && !wasUndone) return;
    this.#ghosts.broken(
      'D2',
      `${id} had term ${durable.term} and vote ${durable.vote} on its disk`,
      `it restarts with ${found.term} and ${found.vote}`,
    );
  }

  /** Either the log that was promised, or that with some of the batches which were on their way; or a snapshot over it. */
  #checkLog({ life, id }: ServerGhost, recovered: RecoveredState, found: Image): void {
    const { durable, pending, snapshot } = life;
    const isSame = (image: Image): boolean => image.lastIndex === found.lastIndex && image.lastTerm === found.lastTerm;
    const isSnapshotOnly = found.lastIndex === recovered.snapshot.index && found.lastIndex > snapshot;
    if (recovered.snapshot.index < Math.max(snapshot, durable.installed)) {
      this.#ghosts.broken(
        'E6',
        `${id} had a durable snapshot at ${snapshot}`,
        `it restarts with the one at ${recovered.snapshot.index}`,
      );
    }
    if (isSame(durable) || pending.some(isSame) || isSnapshotOnly) return;
    const acked = Math.max(0, ...life.acks.values());
    const first = `${id} had a log to ${durable.lastIndex}/${durable.lastTerm} on its disk, had acknowledged ${acked}`;
    const second = `it restarts with one to ${found.lastIndex}/${found.lastTerm}`;
    this.#ghosts.broken(found.lastIndex < Math.min(acked, durable.lastIndex) ? 'D6' : 'D2', first, second);
  }

  /** Terms and contents are those that were written: nothing corrupt reaches the core. */
  checkContent({ id }: ServerGhost, { base, termRuns, lastIndex, tail }: RecoveredState): void {
    const { tree } = this.#ghosts;
    const lastTerm = termRuns.at(-1)?.term ?? base.term;
    for (const [at, { first, term }] of termRuns.entries()) {
      const end = (termRuns[at + 1]?.first ?? lastIndex + 1) - 1;
      for (const index of [first, end]) {
        const written = index <= tree.floor.index ? term : tree.termAt(index, lastTerm);
        if (written === term) continue;
        this.#ghosts.broken(
          'D2',
          `entry ${index} of that log is of term ${written ?? 'none'}`,
          `${id} restarts with term ${term} there`,
        );
      }
    }
    this.#checkEntries(id, 'restarts with', tail, lastTerm);
  }

  #checkEntries(id: string, verb: string, entries: readonly Entry[], lastTerm: Term): void {
    const { tree } = this.#ghosts;
    for (const entry of entries) {
      if (entry.index - 1 < tree.floor.index) continue;
      const before = tree.termAt(entry.index - 1, lastTerm);
      if (before !== null && tree.holds(entry, before)) continue;
      this.#ghosts.broken(
        'D5',
        `entry ${entry.index} of term ${entry.term} was written with another content`,
        `${id} ${verb} it`,
      );
    }
  }

  stepped(server: ServerGhost, input: Input): void {
    if (input.kind === 'message') return;
    if (input.kind === 'persisted') this.#persisted(server, input.id);
    else if (input.kind === 'loaded') {
      this.#checkEntries(server.id, 'reads', input.entries, input.entries.at(-1)?.term ?? 0);
    } else if (input.kind === 'faulty') {
      server.life.noteFaulty(input.index);
      server.foundFaulty.add(input.index);
    } else if (input.kind === 'compacted') {
      const { life } = server;
      life.snapshot = Math.max(life.snapshot, input.snapshot.index);
      life.base = Math.max(life.base, server.raft.state.log.base.index);
    }
  }

  #persisted(server: ServerGhost, id: number): void {
    const { life, hasFailedSync } = server;
    if (id <= life.durable.id) return;
    if (hasFailedSync) {
      this.#ghosts.broken(
        'D9',
        `a sync of the disk of ${server.id} failed`,
        `batch ${id} is called durable in the same run`,
      );
    }
    const at = life.pending.findIndex((image) => image.id === id);
    const durable = life.pending[at];
    if (durable === undefined) {
      this.#ghosts.broken('D1', `batch ${id} was never handed out by ${server.id}`, 'it is called durable');
      return;
    }
    for (const [index, batch] of life.faulty) if (batch > 0 && batch <= id) life.faulty.delete(index);
    const installed = durable.installed > life.durable.installed;
    life.durable = durable;
    life.pending = at === life.pending.length - 1 ? [] : life.pending.slice(at + 1);
    if (!installed) return;
    life.snapshot = Math.max(life.snapshot, durable.installed);
    life.base = Math.max(life.base, Math.min(durable.installed, server.raft.state.log.base.index));
  }

  /** A batch leaves for the disk: what it repairs is whole when it is durable, and so is what it writes anew. */
  persisting({ life, id }: ServerGhost, batch: PersistBatch): void {
    this.#checkEntries(id, 'repairs', batch.repairs, life.latest.lastTerm);
    for (const { index } of batch.repairs) if (life.faulty.has(index)) life.faulty.set(index, batch.id);
    if (life.faulty.size === 0 || batch.truncateFrom === 0) return;
    for (const index of life.faulty.keys()) if (index >= batch.truncateFrom) life.faulty.set(index, batch.id);
  }

  /**
   * "I do not have it" is true: nothing that stands in the log is denied, damaged or not. Called before the batch of the same output is
   * looked at: what that adds may have come after the question.
   */
  denying({ life, id }: ServerGhost, { answers }: FetchEntriesReply, batch: PersistBatch | null): void {
    for (const answer of answers) {
      if (answer.verdict !== 'dontHave') continue;
      const { index, term } = answer.position;
      const { lastIndex, lastTerm } = life.latest;
      if (index > lastIndex || index <= this.#ghosts.tree.floor.index || isCutBy(batch, index)) continue;
      if (this.#ghosts.tree.termAt(index, lastTerm) !== term) continue;
      this.#ghosts.broken(
        'D7',
        `entry ${index}/${term} stands in the log of ${id}`,
        'it says that it does not have it',
      );
    }
  }

  /** What the core wants to send: the batch that it names makes the promise true. Acknowledgements: B6. */
  output(server: ServerGhost, { message, after }: Outgoing): void {
    const { life, id, held } = server;
    const image = life.imageAfter(after);
    if (image === null) {
      this.#ghosts.broken('D1', `${id} has handed out no batch ${after}`, `a ${message.kind} is to wait for it`);
      return;
    }
    if (after > life.durable.id) held.push({ message, after });
    this.#checkPromise(id, image, message, 'will have');
  }

  sent({ life, id, held }: ServerGhost, message: Message): void {
    const at = held.length === 0 ? -1 : held.findIndex((each) => each.message === message);
    const after = at === -1 ? 0 : (held[at]?.after ?? 0);
    if (at !== -1) held.splice(at, 1);
    if (after > life.durable.id) {
      this.#ghosts.broken(
        'D1',
        `batch ${after} of ${id} is not durable`,
        `a ${message.kind} leaves that has to wait for it`,
      );
    }
    this.#checkPromise(id, life.durable, message, 'has');
  }

  /** No word of a term before the term is durable, no vote before the vote is. */
  #checkPromise(id: string, image: Image, message: Message, verb: string): void {
    if (image.term < message.term) {
      this.#ghosts.broken(
        'D1',
        `the disk of ${id} ${verb} term ${image.term}`,
        `it sends a ${message.kind} of term ${message.term}`,
      );
    }
    if (
      message.kind !== 'requestVoteReply' ||
      !message.granted ||
      image.term > message.term ||
      image.vote === message.to
    )
      return;
    this.#ghosts.broken(
      'D1',
      `the disk of ${id} ${verb} a vote for ${image.vote} in term ${image.term}`,
      `it votes for ${message.to}`,
    );
  }

  /** When nothing is under way, memory and disk say the same. */
  idle({ life, raft, id }: ServerGhost): void {
    if (life.pending.length > 0) return;
    const { durable } = life;
    const { term, vote, log } = raft.state;
    const lastTerm = log.runs.at(-1)?.term ?? log.base.term;
    if (
      durable.term === term &&
      durable.vote === vote &&
      durable.lastIndex === log.lastIndex &&
      durable.lastTerm === lastTerm
    )
      return;
    this.#ghosts.broken(
      'D3',
      `the disk of ${id} has term ${durable.term}, vote ${durable.vote}, a log to ${durable.lastIndex}/${durable.lastTerm}`,
      `nothing is under way and its memory has ${term}, ${vote}, ${log.lastIndex}/${lastTerm}`,
    );
  }

  damaged(server: ServerGhost, damage: Damage): void {
    if (damage.kind !== 'diskLost') return;
    server.life.isLost = true;
    this.#checkSurvives(server);
  }

  /**
   * Somebody still has what was committed, and those who may vote without having it are no quorum. (Who lost its disk is another
   * incarnation now and votes no more, so it is in nobody's way.)
   */
  #checkSurvives(server: ServerGhost): void {
    const { committedIndex, committedTerm, tree } = this.#ghosts;
    const configuration = tree.configurationAt(committedIndex, committedTerm);
    if (!this.#isBudgeted || committedIndex === 0 || configuration === null) return;
    const lasting = configuration.members.filter((member) => this.#lifeOf(member) !== null).map((member) => member.id);
    const holders = configuration.members.filter((member) => {
      const life = this.#lifeOf(member);
      return life !== null && hasOnDisk(this.#ghosts, life, committedIndex, committedTerm);
    });
    const isWithout = (id: MemberId): boolean => lasting.includes(id) && !holders.some((holder) => holder.id === id);
    if (holders.length > 0 && !isQuorum(configuration, isWithout)) return;
    const first = `entry ${committedIndex}/${committedTerm} is committed`;
    const second = `with the disk of ${server.id} gone it is left on ${holders.length} of ${lasting.length} servers that may vote`;
    this.#ghosts.broken('D4', first, second);
  }

  /** The life of a member that may vote; null if that has lost its disk. */
  #lifeOf({ id, incarnation }: Member): Life | null {
    const life = this.#ghosts.servers.get(id)?.life;
    return life === undefined || life.isLost || (incarnation !== null && life.incarnation !== incarnation)
      ? null
      : life;
  }

  /** Of the log alone: what is prepared beside it is not called durable by a batch. */
  faulted(server: ServerGhost, kind: DiskFaultKind, path: string): void {
    if (kind === 'syncError' && logSegment.test(path)) server.hasFailedSync = true;
  }
}

function isCutBy(batch: PersistBatch | null, index: Index): boolean {
  if (batch === null) return false;
  return batch.snapshot !== null || (batch.truncateFrom > 0 && batch.truncateFrom <= index);
}

const logSegment = /(^|\/)\d+\.wal$/;
