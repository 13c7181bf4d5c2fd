/** A. Terms, votes and leaders (§5.1, §5.2, §5.4.1; PreVote: dissertation §9.6). */
import type { Configuration, Input, MemberId, Message, Role, Term } from '@quorate/raft';
import type { Ghosts } from './ghosts.ts';
import { isQuorum } from './quorum.ts';
import type { Life, ServerGhost } from './server-ghost.ts';

const successors: Readonly<Record<Role, readonly Role[]>> = {
  follower: ['follower', 'preCandidate', 'candidate'],
  preCandidate: ['follower', 'preCandidate', 'candidate'],
  // A candidate's own vote has to be durable before it counts: even alone in its cluster it leads one step later.
  candidate: ['follower', 'preCandidate', 'candidate', 'leader'],
  leader: ['follower', 'leader'],
};

export class TermsVotesLeaders {
  readonly #ghosts: Ghosts;

  constructor(ghosts: Ghosts) {
    this.#ghosts = ghosts;
  }

  stepped(server: ServerGhost, input: Input): void {
    const { before, raft } = server;
    const { state } = raft;
    if (state.term < before.term) {
      this.#ghosts.broken('A1', `${server.id} was in term ${before.term}`, `it went back to term ${state.term}`);
    }
    if (state.term === before.term && before.vote !== null && state.vote !== before.vote) {
      this.#ghosts.broken(
        'A3',
        `${server.id} voted for ${before.vote} in term ${state.term}`,
        `its vote is now ${state.vote ?? 'gone'}`,
      );
    }
    if (input.kind === 'message') this.#received(server, input.message);
    if (state.role !== before.role || state.role === 'candidate') this.#checkRole(server, input);
    if (state.role === 'leader') this.#checkLeader(server);
    if (state.leader !== null) this.#checkKnownLeader(server, state.leader);
  }

  #received(server: ServerGhost, message: Message): void {
    if (message.kind === 'preVote') this.#checkPreVote(server, message.from);
    else if (message.kind === 'requestVote')
      this.#noteFit(server, message.from, message.term, message.lastIndex, message.lastTerm);
  }

  /** One that asks as well may give way; nothing else is changed. */
  #checkPreVote(server: ServerGhost, from: MemberId): void {
    const { before, raft } = server;
    const { state } = raft;
    const isSame =
      state.term === before.term &&
      state.vote === before.vote &&
      (state.role === before.role || (before.role === 'preCandidate' && state.role === 'follower')) &&
      state.leader === before.leader &&
      state.log.lastIndex === before.lastIndex;
    if (isSame) return;
    this.#ghosts.broken(
      'A13',
      `${server.id} was ${before.role} in term ${before.term}, vote ${before.vote}, leader ${before.leader}, log to ${before.lastIndex}`,
      `after a PreVote from ${from} it is ${state.role} in term ${state.term}, vote ${state.vote}, leader ${state.leader}, log to ${state.log.lastIndex}`,
    );
  }

  /** A copy of a request may come when the log has grown: the vote was given to the first. */
  #noteFit(server: ServerGhost, candidate: MemberId, term: Term, lastIndex: number, lastTerm: Term): void {
    const { before } = server;
    const isFit = lastTerm > before.lastTerm || (lastTerm === before.lastTerm && lastIndex >= before.lastIndex);
    if (!isFit) return;
    const fit = server.fit.get(term);
    if (fit === undefined) server.fit.set(term, new Set([candidate]));
    else fit.add(candidate);
  }

  #checkRole(server: ServerGhost, input: Input): void {
    const { before, raft } = server;
    const { state } = raft;
    if (!successors[before.role].includes(state.role)) {
      this.#ghosts.broken('A9', `${server.id} was ${before.role} in term ${before.term}`, `it became ${state.role}`);
    }
    if (before.role === 'leader' && state.term === before.term && state.role !== 'leader') {
      const isAllowed = input.kind === 'timeout' && (input.name === 'quorumCheck' || input.name === 'repair');
      if (!isAllowed && !isRemoved(server)) {
        this.#ghosts.broken(
          'A9',
          `${server.id} led term ${state.term}`,
          `it left office in that term because of ${input.kind}`,
        );
      }
    }
    if (state.role !== 'candidate') return;
    for (const { voter, incarnation, granted } of state.votes) {
      if (!granted || this.#hasVote(server, voter, incarnation, state.term)) continue;
      this.#ghosts.broken(
        'A12',
        `${voter} has not sent its vote of term ${state.term} to ${server.id}`,
        `${server.id} counts it`,
      );
    }
  }

  #hasVote(candidate: ServerGhost, voter: MemberId, incarnation: string, term: Term): boolean {
    if (voter === candidate.id) return votedDurably(candidate.life, candidate.id, term);
    const life = this.#ghosts.servers.get(voter)?.lives.find((each) => each.incarnation === incarnation);
    return life?.votes.get(term) === candidate.id;
  }

  #checkLeader(server: ServerGhost): void {
    const { before, raft } = server;
    const { state } = raft;
    if (state.vote !== server.id) {
      this.#ghosts.broken('A5', `${server.id} leads term ${state.term}`, `its vote is ${state.vote ?? 'nobody'}'s`);
    }
    if (before.role !== 'leader' || before.term !== state.term) this.#elected(server);
  }

  #elected(server: ServerGhost): void {
    const { before, raft, id } = server;
    const { term } = raft;
    if (this.#ghosts.tree.branch(term) !== undefined) {
      this.#ghosts.broken('A8', `there are entries of term ${term} already`, `${id} was elected in it`);
    }
    const led = this.#ghosts.leaders.get(term);
    if (led !== undefined) {
      const second = led.leader === id ? `${id} was elected in it once more` : `${id} was elected in it too`;
      this.#ghosts.broken('A6', `${led.leader} was elected in term ${term}`, second);
    }
    this.#ghosts.leaders.set(term, { leader: id, lastIndex: before.lastIndex, lastTerm: before.lastTerm });
    this.#checkWon(server, raft.configuration, term);
  }

  #checkWon(server: ServerGhost, configuration: Configuration, term: Term): void {
    const voters = configuration.members
      .map((member) => member.id)
      .filter((voter) => this.#voted(server, configuration, voter, term));
    if (isQuorum(configuration, (member) => voters.includes(member))) return;
    const needed = [...configuration.voters, ...configuration.outgoing].join(' ');
    this.#ghosts.broken(
      'A7',
      `${server.id} leads term ${term} among ${needed}`,
      `only ${voters.join(' ') || 'nobody'} voted for it`,
    );
  }

  #voted(server: ServerGhost, configuration: Configuration, voter: MemberId, term: Term): boolean {
    if (voter === server.id) return votedDurably(server.life, server.id, term);
    const lives = this.#ghosts.servers.get(voter)?.countingLives(configuration) ?? [];
    return lives.some((life) => life.votes.get(term) === server.id);
  }

  #checkKnownLeader(server: ServerGhost, leader: MemberId): void {
    const { before, raft, id } = server;
    if (leader === before.leader && raft.term === before.term) return;
    const led = this.#ghosts.leaders.get(raft.term);
    if (led?.leader === leader) return;
    this.#ghosts.broken(
      'A10',
      `the leader of term ${raft.term} is ${led?.leader ?? 'nobody'}`,
      `${id} takes ${leader} for it`,
    );
  }

  sent(server: ServerGhost, message: Message): void {
    const { life, id } = server;
    if (message.from !== id || message.incarnation !== life.incarnation) {
      this.#ghosts.broken(
        'M',
        `${id} (${life.incarnation}) sends a ${message.kind}`,
        `it says that it is ${message.from} (${message.incarnation})`,
      );
    }
    if (message.term > server.raft.term) {
      this.#ghosts.broken(
        'A2',
        `${id} is in term ${server.raft.term}`,
        `it sends a ${message.kind} of term ${message.term}`,
      );
    }
    if (message.term > life.promisedTerm) life.promisedTerm = message.term;
    if (message.kind === 'requestVoteReply' && message.granted) this.#granted(server, message.to, message.term);
    else if (isFromLeader(message)) this.#checkOffice(server, message);
  }

  #checkOffice(server: ServerGhost, message: Message): void {
    const led = this.#ghosts.leaders.get(message.term);
    if (led?.leader === server.id) return;
    this.#ghosts.broken(
      'A11',
      `the leader of term ${message.term} is ${led?.leader ?? 'nobody'}`,
      `${server.id} sends a ${message.kind} of it`,
    );
  }

  #granted(server: ServerGhost, candidate: MemberId, term: Term): void {
    const { life, id } = server;
    const given = life.votes.get(term);
    if (given !== undefined && given !== candidate) {
      this.#ghosts.broken('A3', `${id} sent its vote of term ${term} to ${given}`, `it sends one to ${candidate}`);
    }
    if (server.fit.get(term)?.has(candidate) !== true) {
      this.#ghosts.broken(
        'A4',
        `${id} had a newer log than ${candidate} whenever that asked in term ${term}`,
        'it votes for it',
      );
    }
    life.votes.set(term, candidate);
  }
}

function votedDurably({ durable }: Life, candidate: MemberId, term: Term): boolean {
  return durable.term === term && durable.vote === candidate;
}

function isFromLeader({ kind }: Message): boolean {
  return kind === 'appendEntries' || kind === 'heartbeat' || kind === 'installSnapshot' || kind === 'timeoutNow';
}

/** It is no voter by a configuration that is committed: then it leaves office (§6). */
function isRemoved({ id, raft }: ServerGhost): boolean {
  const { voters, outgoing, index } = raft.configuration;
  return !voters.includes(id) && outgoing.length === 0 && index <= raft.commitIndex;
}
