/** What stands in logs and what is said about them: invariants B1 to B9. */
import type {
  AppendEntries,
  AppendEntriesReply,
  Index,
  Input,
  Outgoing,
  Output,
  PersistBatch,
  Term,
} from '../../../src/index.ts';
import { chainEntry } from '../chain.ts';
import type { Observer } from '../observer.ts';
import type { TestServer } from '../server.ts';
import { type Ghosts, lifeKey, must, positionKey } from './ghosts.ts';

export class LogInvariants implements Observer {
  readonly #ghosts: Ghosts;

  constructor(ghosts: Ghosts) {
    this.#ghosts = ghosts;
  }

  stepped(server: TestServer, input: Input): void {
    if (server.core.role === 'leader') {
      this.#followLeaderLog(server);
      this.#checkProgress(server, input);
    }
  }

  output(server: TestServer, output: Output): void {
    this.#checkCut(server, output);
    if (server.core.status().recovering) {
      this.#recovering.set(server.id, server.core.term);
    } else {
      this.#recovering.delete(server.id);
    }
  }

  #checkCut(server: TestServer, output: Output): void {
    const batch = output.persist;
    if (batch === null || batch.truncateFrom === 0) {
      return;
    }
    const view = this.#ghosts.view(server);
    const { latest } = server.disk;
    const from = batch.truncateFrom;
    must(from > view.atOutput.commitIndex && from > server.machine.position.index, 'B5 committed entries stay', () => {
      return `${server.id} cuts its log from ${from}, committed was ${view.atOutput.commitIndex}`;
    });
    if (from > latest.lastIndex || batch.snapshot !== null) {
      return;
    }
    const stayed = view.role === 'leader' && view.atOutput.role === 'leader' && view.atOutput.term === view.term;
    const settled = this.#recovering.get(server.id) === view.term;
    must(
      !stayed || settled,
      'B2 leader append-only',
      () => `${server.id}, leader of term ${view.term}, cuts its log from ${from}`,
    );
    // What no majority has is cut without anything in its place.
    if (view.gathered === 1 && !settled) {
      const first = batch.entries[0];
      must(
        first !== undefined && first.index === from && first.term !== latest.termAt(from),
        'B5 cut only at a conflict',
        () => {
          return `${server.id} cuts from ${from} of term ${latest.termAt(from)}, then appends ${first ? positionKey(first) : 'nothing'}`;
        },
      );
    }
  }

  submitted(server: TestServer, batch: PersistBatch): void {
    const { latest } = server.disk;
    for (const entry of batch.entries) {
      const before = latest.termAt(entry.index - 1);
      must(before !== null && before <= entry.term && entry.term <= server.core.term, 'B1 terms in order', () => {
        return `${server.id} appends ${positionKey(entry)} behind term ${before} in term ${server.core.term}`;
      });
      this.#ghosts.register(server, entry, latest.chainAt(entry.index) ?? 0);
    }
  }

  sent(server: TestServer, { message }: Outgoing): void {
    switch (message.kind) {
      case 'appendEntries':
        this.#checkSlice(server, message);
        break;
      case 'appendEntriesReply':
        if (message.accepted) {
          this.#checkAck(server, message.term, message.index);
        } else {
          this.#checkRefusal(server, message);
        }
        break;
      case 'installSnapshotReply':
        this.#checkAck(server, message.term, message.index);
        break;
      default:
        break;
    }
  }

  /** Extends the ghost of the leader's log by what this step appended. */
  #followLeaderLog(server: TestServer): void {
    const { core } = server;
    // Until its term begins a leader may still find that the end of its log was never committed.
    const begun = this.#begun.has(core.term) ? this.#ghosts.leaderLogs.get(core.term) : undefined;
    const log = begun ?? this.#adoptLog(server);
    if (!core.status().recovering) {
      this.#begun.add(core.term);
    }
    let last = Math.max(...log.keys());
    while (last < core.lastIndex) {
      for (const entry of core.entries(last + 1, core.lastIndex, 1 << 20)) {
        const chain = chainEntry(log.get(last) ?? 0, entry);
        this.#ghosts.register(server, entry, chain);
        log.set(entry.index, chain);
        last = entry.index;
      }
    }
  }

  /** A new leader's log: what the disk was given, and where it has not been given all yet, what memory holds. */
  #adoptLog(server: TestServer): Map<Index, number> {
    const { core, disk } = server;
    let shared = Math.min(core.lastIndex, disk.latest.lastIndex);
    while (shared > disk.latest.base.index && core.termAt(shared) !== disk.latest.termAt(shared)) {
      shared--;
    }
    const log = new Map<Index, number>();
    for (let index = disk.latest.base.index; index <= shared; index++) {
      log.set(index, disk.latest.chainAt(index) ?? 0);
    }
    this.#ghosts.leaderLogs.set(core.term, log);
    return log;
  }

  #checkProgress(server: TestServer, input: Input): void {
    const { core } = server;
    const view = this.#ghosts.view(server);
    const status = core.status();
    const next: typeof view.match = new Map();
    for (const follower of status.followers) {
      const { id, matchIndex, nextIndex } = follower;
      const acked = this.#ghosts.acks.get(`${id}/${core.term}`) ?? 0;
      const incarnation = core.configuration.members.find((member) => member.id === id)?.incarnation ?? null;
      const before = view.role === 'leader' && view.term === core.term ? view.match.get(id) : undefined;
      // What one life of a member has acknowledged is nothing to the next.
      const isSame = before?.incarnation === null || before?.incarnation === incarnation;
      const old = isSame ? before : undefined;
      const say = (): string =>
        `${server.id} has ${id} at match ${matchIndex}, next ${nextIndex}, last ${core.lastIndex}, acknowledged ${acked}`;
      must(
        matchIndex >= (old?.matchIndex ?? 0) &&
          matchIndex <= acked &&
          matchIndex < nextIndex &&
          nextIndex <= core.lastIndex + 1,
        'B8 progress sane',
        say,
      );
      must(
        follower.inflightMessages <= server.options.maxInflightMessages,
        'H4 bounded',
        () => `${follower.inflightMessages} messages in flight to ${id}`,
      );
      if (old !== undefined && input.kind === 'message' && input.message.from === id && isRefusal(input.message)) {
        must(matchIndex === old.matchIndex && nextIndex > matchIndex, 'B9 a refusal never undercuts', say);
      }
      next.set(id, { matchIndex, nextIndex, incarnation });
    }
    view.match = next;
  }

  #checkSlice(server: TestServer, message: AppendEntries): void {
    const log = this.#ghosts.leaderLogs.get(message.term);
    const own = server.disk.latest.chainAt(message.prevIndex);
    let chain = log?.get(message.prevIndex) ?? own;
    must(
      chain !== null && chain !== undefined,
      'B7 a slice of the leader log',
      () => `${server.id} sends entries behind ${message.prevIndex}, which it never had`,
    );
    must(
      message.prevIndex === 0 || this.#knows(message.prevIndex, message.prevTerm, chain),
      'B7 a slice of the leader log',
      () => {
        return `${server.id} calls entry ${message.prevIndex} one of term ${message.prevTerm}`;
      },
    );
    let index = message.prevIndex;
    for (const entry of message.entries) {
      index++;
      chain = chainEntry(chain ?? 0, entry);
      const expected = log?.get(index);
      must(entry.index === index && expected === chain, 'B7 a slice of the leader log', () => {
        return `${server.id} sends ${positionKey(entry)} in term ${message.term}, its log holds something else at ${index}`;
      });
    }
  }

  #knows(index: Index, term: Term, chain: number | null | undefined): boolean {
    const created = this.#ghosts.created.get(`${index}/${term}`);
    const committed = this.#ghosts.committed.get(index);
    return created === chain || (created === undefined && committed?.term === term && committed.chain === chain);
  }

  #checkAck(server: TestServer, term: Term, index: Index): void {
    const { durable } = server.disk;
    const expected = this.#ghosts.leaderLogs.get(term)?.get(index) ?? this.#ghosts.committed.get(index)?.chain;
    const chain = durable.chainAt(index);
    const holds = chain !== null ? chain === expected : index <= durable.base.index;
    must(index === 0 || holds, 'B6 acknowledgements are true', () => {
      return `${server.id} acknowledges ${index} in term ${term}; durable ends at ${durable.lastIndex}, term there ${durable.termAt(index)}`;
    });
    const unsure = [...durable.faulty].filter((at) => at <= index && !this.#ghosts.committed.has(at));
    must(unsure.length === 0, 'B6 acknowledgements are of whole entries', () => {
      return `${server.id} acknowledges ${index} in term ${term}, but ${unsure.join(' ')} is damaged and not committed`;
    });
    const key = `${server.id}/${term}`;
    this.#ghosts.acks.set(key, Math.max(this.#ghosts.acks.get(key) ?? 0, index));
    this.#lifeAcks.set(lifeKey(server), Math.max(this.#lifeAcks.get(lifeKey(server)) ?? 0, index));
  }

  /** The hint never leads forward; only a message of a past term may speak of what this log has compacted since. */
  #checkRefusal(server: TestServer, reply: AppendEntriesReply): void {
    const { index, hintIndex } = reply;
    must(hintIndex <= index || hintIndex === server.core.status().baseIndex, 'B9 a refusal makes progress', () => {
      return `${server.id} refuses ${index}, hints at ${hintIndex}`;
    });
  }

  /** Leaders that settled faulty entries when they were last asked for an output, with their term. */
  readonly #recovering = new Map<string, Term>();
  /** Terms whose leader has begun to append. */
  readonly #begun = new Set<Term>();
  readonly #lifeAcks = new Map<string, Index>();
}

function isRefusal(message: { readonly kind: string; readonly accepted?: boolean }): boolean {
  return message.kind === 'appendEntriesReply' && message.accepted === false;
}
