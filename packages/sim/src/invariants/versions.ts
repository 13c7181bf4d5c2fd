/**
 * F10 to F12. The version of the protocol in use (packages/raft/src/versions.ts): what no member need be told that does not understand
 * it. What each process can speak is known here; a leader knows what it was told.
 */
import { type Configuration, type Entry, EntryKind, type Feature, type Message, type Output } from '@quorate/raft';
import type { Ghosts } from './ghosts.ts';
import type { ServerGhost } from './server-ghost.ts';

export class Versions {
  readonly #ghosts: Ghosts;

  constructor(ghosts: Ghosts) {
    this.#ghosts = ghosts;
  }

  sent({ life }: ServerGhost, message: Message): void {
    if (message.kind === 'heartbeatReply' && message.speaks > life.spoke) life.spoke = message.speaks;
  }

  output(server: ServerGhost, { persist, send }: Output): void {
    if (persist !== null && server.raft.role === 'leader') {
      for (const entry of persist.entries) if (entry.kind === EntryKind.configuration) this.#checkMade(server, entry);
    }
    for (const { message } of send) {
      if (message.kind === 'timeoutNow')
        this.#checkUse(server, 'leadershipTransfer', `${message.kind} to ${message.to}`);
    }
  }

  /** Nothing in a world sets a server back, and who is let in speaks whatever there is: none meets what it does not understand. */
  ended(id: string, code: string, message: string): void {
    if (code !== 'VersionNotSpoken') return;
    this.#ghosts.broken('F10', `${id} never spoke less than in a run before`, `it stopped, ${code}: ${message}`);
  }

  /** Compared with the one before it in that very log. */
  #checkMade(server: ServerGhost, { index, term }: Entry): void {
    if (term !== server.raft.term) return;
    const { tree } = this.#ghosts;
    const [before, made] = [tree.configurationAt(index - 1, term), tree.configurationAt(index, term)];
    if (before === null || made === null || made.index !== index) return;
    const says = `${server.id} makes entry ${index} of term ${term} one of version ${made.protocol}`;
    if (made.protocol < before.protocol) {
      this.#ghosts.broken('F11', `version ${before.protocol} is agreed in entry ${before.index}`, says);
    }
    if (made.protocol > before.protocol) this.#checkSpoken(server, made, says);
    if (made.version !== before.version)
      this.#checkUse(server, 'membershipChanges', `entry ${index}, a step of a change`);
  }

  #checkSpoken(maker: ServerGhost, made: Configuration, says: string): void {
    for (const { id } of made.members) {
      const server = this.#ghosts.servers.get(id);
      const spoke = server === maker ? maker.options.release.max : this.#spokenBy(server, made);
      if (spoke >= made.protocol) continue;
      this.#ghosts.broken('F10', `${id} has said of no version above ${spoke} that it speaks it`, says);
    }
  }

  #spokenBy(server: ServerGhost | undefined, made: Configuration): number {
    return Math.max(0, ...(server?.countingLives(made) ?? []).map((life) => life.spoke));
  }

  /** Whoever it is, some leader has committed that this may be said. */
  #checkUse({ id, options }: ServerGhost, feature: Feature, what: string): void {
    const needed = options.release.needs[feature];
    if (needed === 1) return;
    const { tree, committedIndex, committedTerm } = this.#ghosts;
    const inUse = tree.configurationAt(committedIndex, committedTerm)?.protocol ?? needed;
    if (inUse >= needed) return;
    this.#ghosts.broken('F12', `version ${inUse} is in use, and ${feature} needs ${needed}`, `${id} says ${what}`);
  }
}
