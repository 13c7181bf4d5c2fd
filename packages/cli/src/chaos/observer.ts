/** Asks every server again and again how it sees itself, and holds the answers against each other and against earlier ones. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Violation } from '@quorate/sim';
import { clientAddress, type LocalServer, type RaftPage, raftPage } from '@quorate/processes';
import type { Journal } from './journal.ts';

const POLL_MS = 150;
const PAGE_TIMEOUT_MS = 1_000;
/** Indexes whose revision is remembered. Older ones are forgotten: a server that is further behind is caught by its final read. */
const MAX_REMEMBERED = 50_000;

export class Observer {
  readonly #servers: readonly LocalServer[];
  readonly #journal: Journal;
  readonly #onViolation: (violation: Violation) => void;
  readonly #facts = new RaftFacts();
  readonly #pages = new Map<string, RaftPage>();
  polls = 0;

  constructor(servers: readonly LocalServer[], journal: Journal, onViolation: (violation: Violation) => void) {
    this.#servers = servers;
    this.#journal = journal;
    this.#onViolation = onViolation;
  }

  /** Each server is asked in a loop of its own: one that does not answer must not hide the others. */
  async run(stop: AbortSignal): Promise<void> {
    await Promise.all(this.#servers.map((server) => this.#watch(server, stop)));
  }

  /** The leader of the newest term that answered lately; null if none did. By number. */
  leader(): number | null {
    let newest: RaftPage | null = null;
    for (const page of this.#pages.values()) {
      if (page.role === 'leader' && (newest === null || page.term > newest.term)) newest = page;
    }
    const at = this.#servers.findIndex(({ member }) => newest !== null && this.#pages.get(member.name) === newest);
    return at < 0 ? null : at;
  }

  async #watch(server: LocalServer, stop: AbortSignal): Promise<void> {
    const { name } = server.member;
    while (!stop.aborted) {
      const page = await raftPage(clientAddress(server.member), PAGE_TIMEOUT_MS);
      if (page === null) this.#pages.delete(name);
      else this.#pages.set(name, page);
      this.#journal.seen(name, page?.role ?? (server.process.running ? 'silent' : 'down'), page?.term ?? 0);
      if (page !== null) this.#check(name, page);
      await sleep(POLL_MS);
    }
  }

  #check(server: string, page: RaftPage): void {
    this.polls++;
    for (const violation of this.#facts.violations(server, page)) this.#onViolation(violation);
  }
}

/** What pages have told. The ids are those of the invariants (docs/chaos.md says what each is). */
export class RaftFacts {
  readonly #leaders = new Map<number, string>();
  readonly #votes = new Map<string, string>();
  readonly #latest = new Map<string, RaftPage>();
  readonly #revisions = new Map<number, { readonly server: string; readonly revision: number }>();

  /** Pages of one server must come in the order in which it gave them. */
  violations(server: string, page: RaftPage): readonly Violation[] {
    const found: Violation[] = [];
    const say = (invariant: string, first: string, second: string): void => {
      found.push(new Violation(invariant, first, second));
    };
    this.#checkSelf(server, page, say);
    this.#checkLeader(server, page, say);
    this.#checkRevision(server, page, say);
    this.#latest.set(server, page);
    return found;
  }

  #checkSelf(server: string, page: RaftPage, say: Say): void {
    const { term, commitIndex, appliedIndex, lastIndex, snapshot, pid, vote } = page;
    const before = this.#latest.get(server);
    if (before !== undefined && term < before.term) {
      say('A1', `${server} was in term ${before.term}`, `later it is in term ${term}`);
    }
    const ballot = `${server}/${term}`;
    const voted = this.#votes.get(ballot);
    if (voted !== undefined && vote !== voted) {
      say('A3', `${server} voted for ${voted} in term ${term}`, `later its vote of that term is ${vote ?? 'none'}`);
    }
    if (vote !== null) this.#votes.set(ballot, vote);
    if (snapshot.index > appliedIndex || appliedIndex > commitIndex || commitIndex > lastIndex) {
      const text = `snapshot ${snapshot.index}, applied ${appliedIndex}, committed ${commitIndex}, last ${lastIndex}`;
      say('C1', 'snapshot ≤ applied ≤ committed ≤ last on every server', `${server} shows ${text}`);
    }
    if (before?.pid !== pid) return;
    if (commitIndex < before.commitIndex || appliedIndex < before.appliedIndex) {
      const first = `${server} had committed ${before.commitIndex} and applied ${before.appliedIndex}`;
      say('C2', first, `later, without a restart, ${commitIndex} and ${appliedIndex}`);
    }
  }

  #checkLeader(server: string, { id, role, term, leader }: RaftPage, say: Say): void {
    const named = role === 'leader' ? id : leader;
    if (named === null) return;
    const known = this.#leaders.get(term);
    if (known === undefined) this.#leaders.set(term, named);
    else if (known !== named) {
      const id6 = role === 'leader' ? 'A6' : 'A10';
      say(id6, `the leader of term ${term} is ${known}`, `${server} says that it is ${named}`);
    }
  }

  #checkRevision(server: string, { appliedIndex, store: { revision } }: RaftPage, say: Say): void {
    const known = this.#revisions.get(appliedIndex);
    if (known === undefined) {
      this.#revisions.set(appliedIndex, { server, revision });
      if (this.#revisions.size > MAX_REMEMBERED) {
        for (const oldest of this.#revisions.keys()) {
          this.#revisions.delete(oldest);
          break;
        }
      }
    } else if (known.revision !== revision) {
      const first = `${known.server}, with entry ${appliedIndex} applied, was at revision ${known.revision}`;
      say('C8', first, `${server}, with the same applied, is at ${revision}`);
    }
  }
}

type Say = (invariant: string, first: string, second: string) => void;
