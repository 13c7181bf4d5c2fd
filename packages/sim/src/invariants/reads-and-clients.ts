/** G. What the core tells those who ask: reads (dissertation §6.4) and proposals. Whole histories are judged at the end of a run. */
import {
  EntryKind,
  type Input,
  type MemberId,
  type Message,
  type Output,
  type ProposalResult,
  type ReadResult,
} from '@quorate/raft';
import type { AppliedEntry } from '../watch.ts';
import { hashBytes } from './chain.ts';
import { isWithinLease, leaseOutput, leaseStepped } from './leases.ts';
import type { Ghosts } from './ghosts.ts';
import { isQuorum } from './quorum.ts';
import type { ServerGhost } from './server-ghost.ts';

/** Refused commands that are remembered, by fingerprint: the newest of them. */
const maxRefused = 4096;

/** When a read came: behind which round, and whether within a lease. */
interface Asked {
  readonly round: number;
  readonly isLeased: boolean;
}

export class ReadsAndClients {
  readonly #ghosts: Ghosts;
  readonly #refused = new Set<number>();
  /** Lengths that refused commands have had: whatever has another was not refused. */
  readonly #refusedLengths = new Set<number>();

  constructor(ghosts: Ghosts) {
    this.#ghosts = ghosts;
  }

  stepped(server: ServerGhost, input: Input): void {
    const { raft } = server;
    if (input.kind === 'message') this.#received(server, input.message);
    else if (input.kind === 'read') {
      const { leadership, term } = raft.state;
      server.reads.set(input.id, {
        committed: this.#ghosts.committedIndex,
        round: leadership?.round ?? null,
        term,
        isLeased: isWithinLease(server, input.now),
      });
    } else if (input.kind === 'propose') server.proposals.set(input.id, input.commands);
    leaseStepped(this.#ghosts, server, input);
    if (raft.role !== 'leader' && server.rounds.size > 0) server.rounds.clear();
    if (raft.role !== 'leader' && server.carriedReads.size > 0) server.carriedReads.clear();
  }

  #received(server: ServerGhost, message: Message): void {
    const { leadership, term, now } = server.raft.state;
    if (leadership === null || message.term !== term) return;
    if (message.kind === 'heartbeatReply') {
      const known = server.rounds.get(message.from) ?? 0;
      if (message.round > known) server.rounds.set(message.from, message.round);
    } else if (message.kind === 'readIndex') {
      const key = `${message.from}/${message.id}`;
      const carried = server.carriedReads.get(key);
      const isLeased = isWithinLease(server, now);
      if (carried === undefined) {
        const { committedIndex: committed } = this.#ghosts;
        server.carriedReads.set(key, { round: leadership.round, committed, copies: 1, isLeased });
      } else {
        carried.copies += 1;
        carried.isLeased ||= isLeased;
      }
    }
  }

  output(server: ServerGhost, output: Output): void {
    for (const read of output.reads) this.#checkRead(server, read);
    for (const result of output.proposals) this.#checkProposal(server, result);
    if (server.carriedReads.size > 0) {
      for (const { message } of output.send)
        if (message.kind === 'readIndexReply') this.#checkCarriedRead(server, message);
    }
    leaseOutput(this.#ghosts, server, output);
    server.configurationAtOutput = server.raft.configuration.index;
  }

  #checkRead(server: ServerGhost, { id, index, refused }: ReadResult): void {
    const asked = server.reads.get(id);
    if (asked === undefined) {
      this.#ghosts.broken('G2', `nobody asked ${server.id} for read ${id}, or it was answered`, 'it answers it');
      return;
    }
    server.reads.delete(id);
    if (refused !== null) return;
    if (index < asked.committed) {
      this.#ghosts.broken(
        'G2',
        `entry ${asked.committed} was committed before read ${id} came to ${server.id}`,
        `it may see only ${index}`,
      );
    }
    if (server.raft.role === 'leader' && asked.round !== null && asked.term === server.raft.term) {
      this.#checkConfirmed(server, `read ${id}`, index, { round: asked.round, isLeased: asked.isLeased });
    }
  }

  #checkCarriedRead(server: ServerGhost, message: Message & { readonly kind: 'readIndexReply' }): void {
    const key = `${message.to}/${message.id}`;
    const carried = server.carriedReads.get(key);
    if (carried === undefined) return;
    carried.copies -= 1;
    if (carried.copies === 0) server.carriedReads.delete(key);
    if (message.index === 0) return;
    if (message.index < carried.committed) {
      const first = `entry ${carried.committed} was committed before ${message.to} asked ${server.id}`;
      this.#ghosts.broken('G2', first, `its read ${message.id} may see only ${message.index}`);
    }
    this.#checkConfirmed(server, `read ${message.id} of ${message.to}`, message.index, carried);
  }

  /** A quorum has answered a round that was sent after the read came, or it came within a lease; and the leader has committed in its own term (§8). */
  #checkConfirmed(server: ServerGhost, read: string, index: number, { round, isLeased }: Asked): void {
    const { raft, rounds, id } = server;
    const isConfirmed = (member: MemberId): boolean => member === id || (rounds.get(member) ?? 0) > round;
    // Whichever of them was in force when the last answer came.
    const inForce = raft.state.configurations.filter(({ index }) => index >= server.configurationAtOutput);
    const isProven = inForce.some((configuration) => isQuorum(configuration, isConfirmed));
    if (!isProven && !isLeased) {
      const answered = [...rounds].filter(([, newest]) => newest > round).map(([member]) => member);
      const first = `${read} came to ${id} when it had sent round ${round}; later ones were answered by ${answered.join(' ') || 'nobody'}`;
      this.#ghosts.broken(server.options.leaseReads ? 'G4' : 'G3', first, 'it is answered');
    }
    const committed = this.#ghosts.committedTermAt(index);
    if (committed === raft.term || index <= this.#ghosts.tree.floor.index) return;
    this.#ghosts.broken(
      'G3',
      `${id} leads term ${raft.term} and has committed nothing of it at ${index}`,
      `${read} is answered with it`,
    );
  }

  #checkProposal(server: ServerGhost, result: ProposalResult): void {
    const { id, count, index, term, refused, unknown } = result;
    const commands = server.proposals.get(id);
    if (commands?.length !== count) {
      this.#ghosts.broken(
        'C10',
        `${server.id} was given ${commands?.length ?? 'no'} commands as proposal ${id}`,
        `it answers for ${count}`,
      );
      return;
    }
    server.proposals.delete(id);
    if (unknown) return;
    for (const [at, command] of commands.entries()) {
      if (refused === null) this.#checkAppended(server, command, index + at, term);
      else this.#refuse(command);
    }
  }

  #checkAppended(server: ServerGhost, data: Uint8Array, index: number, term: number): void {
    const { tree } = this.#ghosts;
    // Cut again before an output was taken: nobody has ever seen it.
    if (index <= tree.floor.index || tree.termAt(index, term) === null) return;
    const before = tree.termAt(index - 1, term);
    if (before !== null && tree.holds({ index, term, kind: EntryKind.command, data }, before)) return;
    this.#ghosts.broken(
      'C10',
      `${server.id} was given a command that is not entry ${index}/${term}`,
      'it says that it is',
    );
  }

  #refuse(command: Uint8Array): void {
    if (this.#refused.size >= maxRefused)
      for (const oldest of this.#refused) {
        this.#refused.delete(oldest);
        break;
      }
    this.#refused.add(hashBytes(command));
    this.#refusedLengths.add(command.length);
  }

  /** What was refused has no effect, ever. Commands must be unique: the service's are, they bear sequence numbers. */
  applied({ id }: ServerGhost, entry: AppliedEntry): void {
    if (!this.#refusedLengths.has(entry.data.length) || !this.#refused.has(hashBytes(entry.data))) return;
    this.#ghosts.broken('G6', 'a command was refused for certain', `${id} applies it as entry ${entry.index}`);
  }
}
