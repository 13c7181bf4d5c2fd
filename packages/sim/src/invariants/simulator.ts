/** M. What the world itself must not do wrong: then nothing that it finds means anything. */
import type { Input, MemberId, Message } from '@quorate/raft';
import type { Ghosts } from './ghosts.ts';
import type { ServerGhost } from './server-ghost.ts';

export class Simulator {
  readonly #ghosts: Ghosts;

  constructor(ghosts: Ghosts) {
    this.#ghosts = ghosts;
  }

  /** The server, which must be running. What it is seen to do is told in two parts: words are joined only for a complaint. */
  running(id: MemberId, does: string, what: string | number): ServerGhost {
    const server = this.#ghosts.server(id);
    if (server.fatal !== null)
      this.#ghosts.broken(
        'D9',
        `${id} stopped for good (${server.fatal})`,
        `${does} ${what} although it was not started again`,
      );
    if (!server.isRunning) this.#ghosts.broken('M', `${id} is down`, `${does} ${what}`);
    return server;
  }

  stepped(server: ServerGhost, input: Input): void {
    if (input.now < server.before.now) {
      this.#ghosts.broken('M', `the clock of ${server.id} showed ${server.before.now}`, `it goes back to ${input.now}`);
    }
    if (input.kind === 'message') this.#checkSent(server, input.message);
  }

  /** Nothing arrives that nobody can have sent: no server has reached the term, or it is meant for another. */
  #checkSent({ id }: ServerGhost, message: Message): void {
    if (message.to !== id) this.#ghosts.broken('M', `a ${message.kind} is meant for ${message.to}`, `it reaches ${id}`);
    const life = this.#ghosts.servers.get(message.from)?.lives.find((each) => each.incarnation === message.incarnation);
    if (life !== undefined && message.term <= life.promisedTerm) return;
    if (isOwnWord(message)) return;
    const promised = life === undefined ? 'was never seen' : `has sent nothing behind term ${life.promisedTerm}`;
    this.#ghosts.broken(
      'M',
      `${message.from} (${message.incarnation}) ${promised}`,
      `a ${message.kind} of term ${message.term} arrives from it`,
    );
  }
}

/** What the runtime answers in the leader's stead when carried commands found no way out: the leader never heard of them. */
function isOwnWord(message: Message): boolean {
  const isAnswer = message.kind === 'proposeReply' || message.kind === 'changeMembersReply';
  return isAnswer && message.index === 0 && message.refused === 'noLeader';
}
