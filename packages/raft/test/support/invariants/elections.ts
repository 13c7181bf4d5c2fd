/** Terms, votes and leaders: invariants A1 to A13. */
import type { Index, Input, LogPosition, MemberId, Message, Outgoing, Role, Term } from '../../../src/index.ts';
import { isQuorum } from '../configurations.ts';
import type { Observer } from '../observer.ts';
import type { TestServer } from '../server.ts';
import { type Ghosts, lifeKey, must } from './ghosts.ts';

const successors: Readonly<Record<Role, readonly Role[]>> = {
  follower: ['follower', 'preCandidate', 'candidate'],
  preCandidate: ['follower', 'preCandidate', 'candidate'],
  candidate: ['follower', 'preCandidate', 'candidate', 'leader'],
  leader: ['follower', 'leader'],
};

export class ElectionInvariants implements Observer {
  readonly #ghosts: Ghosts;
  /** By life: the highest term in any message that it sent. */
  readonly #promisedTerms = new Map<string, Term>();
  /** The server in hand as it was before the step. */
  #before: { readonly term: Term; readonly vote: MemberId | null; readonly last: LogPosition } | null = null;
  /** `voter>candidate/term`: the candidate's log was up to date when it asked. */
  readonly #fit = new Set<string>();

  constructor(ghosts: Ghosts) {
    this.#ghosts = ghosts;
  }

  started(server: TestServer): void {
    const promised = this.#promisedTerms.get(lifeKey(server)) ?? 0;
    must(
      server.core.term >= promised,
      'A1 term monotone',
      () => `${server.id} promised term ${promised}, restarts in ${server.core.term}`,
    );
  }

  stepping(server: TestServer, input: Input): void {
    const { hardState } = server.core;
    this.#before = { ...hardState, last: lastPosition(server) };
    if (input.kind === 'message' && input.message.kind === 'requestVote') {
      const { from, term, lastIndex, lastTerm } = input.message;
      // A copy of the request may come when the log has grown; the vote was given to the first.
      if (!isNewer(lastPosition(server), { index: lastIndex, term: lastTerm })) {
        this.#fit.add(`${lifeKey(server)}>${from}/${term}`);
      }
    }
  }

  stepped(server: TestServer, input: Input): void {
    const { core } = server;
    const view = this.#ghosts.view(server);
    must(core.term >= view.term, 'A1 term monotone', () => `${server.id} went from term ${view.term} to ${core.term}`);
    this.#checkPreVote(server, input);
    this.#checkRole(server, input);
    if (core.role === 'leader') {
      must(
        core.hardState.vote === server.id,
        'A5 leader voted for itself',
        () => `${server.id} leads, voted ${core.hardState.vote}`,
      );
      if (view.role !== 'leader' || view.term !== core.term) {
        this.#elected(server);
      }
    }
    if (core.leader !== null) {
      must(this.#ghosts.leaders.get(core.term) === core.leader, 'A10 known leader', () => {
        return `${server.id} takes ${core.leader} for leader of term ${core.term}, it is ${this.#ghosts.leaders.get(core.term)}`;
      });
    }
  }

  sent(server: TestServer, { message }: Outgoing): void {
    const durable = server.disk.durable.hardState;
    const life = lifeKey(server);
    must(
      message.from === server.id && message.incarnation === server.incarnation,
      'envelope',
      () => `${server.id} sends as ${message.from}`,
    );
    must(durable.term >= message.term, 'A2/D1 persist before promise', () => {
      return `${server.id} sends ${message.kind} of term ${message.term}, durable is ${durable.term}`;
    });
    this.#promisedTerms.set(life, Math.max(this.#promisedTerms.get(life) ?? 0, message.term));
    if (message.kind === 'requestVoteReply' && message.granted) {
      this.#granted(server, message);
    }
    if (isFromLeader(message)) {
      must(this.#ghosts.leaders.get(message.term) === server.id, 'A11 only the leader', () => {
        return `${server.id} sends ${message.kind} of term ${message.term}, whose leader is ${this.#ghosts.leaders.get(message.term)}`;
      });
    }
  }

  #checkPreVote(server: TestServer, input: Input): void {
    if (input.kind !== 'message' || input.message.kind !== 'preVote' || this.#before === null) {
      return;
    }
    const { term, vote, last } = this.#before;
    const now = server.core.hardState;
    must(
      now.term === term && now.vote === vote && lastPosition(server).index === last.index,
      'A13 pre-vote changes nothing',
      () => `${server.id} went from term ${term}, vote ${vote} to term ${now.term}, vote ${now.vote}`,
    );
  }

  #checkRole(server: TestServer, input: Input): void {
    const { core } = server;
    const view = this.#ghosts.view(server);
    must(
      successors[view.role].includes(core.role),
      'A9 role transitions',
      () => `${server.id}: ${view.role} became ${core.role}`,
    );
    if (view.role === 'leader' && core.term === view.term && core.role !== 'leader') {
      must(
        (input.kind === 'timeout' && ['quorumCheck', 'repair'].includes(input.name)) || isRemoved(server),
        'A9 a leader stays a leader',
        () => {
          return `${server.id} left office in term ${core.term} because of ${input.kind}`;
        },
      );
    }
  }

  #elected(server: TestServer): void {
    const { core } = server;
    const { leaders, votes, createdTerms, committed } = this.#ghosts;
    const { term } = core;
    const before = leaders.get(term);
    must(
      before === undefined || before === server.id,
      'A6 election safety',
      () => `term ${term} has leaders ${before} and ${server.id}`,
    );
    must(!createdTerms.has(term), 'A8 fresh term', () => `${server.id} won term ${term}, which has entries already`);
    leaders.set(term, server.id);
    const voters = core.configuration.members
      .map((member) => member.id)
      .filter((id) => votes.get(`${id}/${term}`) === server.id);
    const durable = server.disk.durable.hardState;
    if (durable.term === term && durable.vote === server.id) {
      voters.push(server.id);
    }
    must(isQuorum(core.configuration, new Set(voters)), 'A7/F5/F6 leader really won', () => {
      return `${server.id} leads term ${term} by the votes of ${voters.join(' ') || 'nobody'}`;
    });
    for (const [index, entry] of committed) {
      const own = core.termAt(index);
      const compacted = own === null && index <= core.status().baseIndex;
      must(entry.commitTerm >= term || own === entry.term || compacted, 'C6 leader completeness', () => {
        return `${server.id} leads term ${term} without entry ${index}/${entry.term}, committed in term ${entry.commitTerm}`;
      });
    }
  }

  #granted(server: TestServer, message: Message): void {
    const { term, to } = message;
    const key = `${lifeKey(server)}/${term}`;
    const before = this.#votesByLife.get(key);
    must(before === undefined || before === to, 'A3 one vote a term', () => `${key} voted for ${before} and for ${to}`);
    this.#votesByLife.set(key, to);
    this.#ghosts.votes.set(`${server.id}/${term}`, to);
    const durable = server.disk.durable.hardState;
    must(durable.term > term || (durable.term === term && durable.vote === to), 'D1 persist before promise', () => {
      return `${server.id} grants ${to} term ${term}, durable is term ${durable.term}, vote ${durable.vote}`;
    });
    must(this.#fit.has(`${lifeKey(server)}>${to}/${term}`), 'A4 up-to-date logs only', () => {
      return `${server.id} grants ${to} term ${term} although its own log is newer`;
    });
  }

  readonly #votesByLife = new Map<string, MemberId>();
}

function isFromLeader(message: Message): boolean {
  return (
    message.kind === 'appendEntries' ||
    message.kind === 'heartbeat' ||
    message.kind === 'installSnapshot' ||
    message.kind === 'timeoutNow'
  );
}

/** §5.4.1: the later last term wins, then the longer log. */
function isNewer(own: LogPosition, theirs: LogPosition): boolean {
  return own.term !== theirs.term ? own.term > theirs.term : own.index > theirs.index;
}

function lastPosition(server: TestServer): LogPosition {
  const index: Index = server.core.lastIndex;
  return { index, term: server.core.termAt(index) ?? 0 };
}

/** It is no voter by a configuration that is committed. */
function isRemoved({ id, core }: TestServer): boolean {
  const { voters, outgoing, index } = core.configuration;
  return !voters.includes(id) && outgoing.length === 0 && index <= core.commitIndex;
}
