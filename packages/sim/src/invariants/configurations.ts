/** F. Configurations (§6): always the newest one in the log, committed or not; and it is the same on all servers. */
import {
  type Configuration,
  type Entry,
  EntryKind,
  type Output,
  type RecoveredState,
  type SnapshotMetadata,
} from '@quorate/raft';
import type { Ghosts } from './ghosts.ts';
import type { ServerGhost } from './server-ghost.ts';

export class Configurations {
  readonly #ghosts: Ghosts;

  constructor(ghosts: Ghosts) {
    this.#ghosts = ghosts;
  }

  started(server: ServerGhost, { snapshot }: RecoveredState): void {
    this.#checkCarried(server, snapshot, 'restarts with');
    this.#checkInForce(server);
  }

  output(server: ServerGhost, output: Output): void {
    if (output.persist !== null || server.before.role === 'leader') this.#checkInForce(server);
    if (output.persist !== null && server.raft.role === 'leader') this.#checkMade(server, output.persist.entries);
    const installed = output.persist?.snapshot ?? output.persist?.adopt;
    if (installed) this.#checkCarried(server, installed, 'installs');
    for (const { message } of output.send) {
      if (message.kind === 'installSnapshot') this.#checkCarried(server, message.snapshot, 'sends');
    }
  }

  /** What a leader makes follows from what was in force, one step at a time. */
  #checkMade({ raft, id }: ServerGhost, entries: readonly Entry[]): void {
    const { configurations } = raft.state;
    for (const { index, kind, term } of entries) {
      if (kind !== EntryKind.configuration || term !== raft.term) continue;
      const at = configurations.findIndex((configuration) => configuration.index === index);
      const [before, made] = [configurations[at - 1], configurations[at]];
      if (before === undefined || made === undefined || made.version === before.version) continue;
      const says = `${id} makes ${describe(made)} in term ${term}`;
      if (before.index > raft.commitIndex) {
        this.#ghosts.broken('F2', `${describe(before)} was in force and is not committed`, says);
      }
      if (this.#ghosts.committedTermAt(raft.commitIndex) !== term && raft.commitIndex > this.#ghosts.tree.floor.index) {
        this.#ghosts.broken('F3', `${id} has committed no entry of term ${term}`, says);
      }
      if (!isStep(before, made)) this.#ghosts.broken('F4', `${describe(before)} was in force`, says);
    }
  }

  #checkInForce(server: ServerGhost): void {
    const { raft, life, id } = server;
    const { lastIndex, lastTerm } = life.latest;
    const expected = this.#ghosts.tree.configurationAt(lastIndex, lastTerm);
    const { configuration } = raft;
    if (expected === null || expected === configuration) return;
    // What is compared never changes: it is a new object that is put in its place (test/frozen.test.ts). The same two are the same still.
    const { agreed } = server;
    if (agreed.expected === expected && agreed.found === configuration) return;
    if (isSame(expected, configuration)) {
      agreed.expected = expected;
      agreed.found = configuration;
      return;
    }
    if (isStranger(configuration) || this.#isHidden(server, expected)) return;
    const first = `the newest configuration in the log of ${id}, to ${lastIndex}/${lastTerm}, is that of entry ${expected.index}`;
    this.#ghosts.broken('F1', first, `it acts by ${describe(configuration)}`);
  }

  /**
   * The newest configuration stands in a damaged entry. Until that is whole again the server goes by the one before it, and counts no
   * votes by it: it must not stand for election.
   */
  #isHidden({ raft, life }: ServerGhost, newest: Configuration): boolean {
    if (raft.role !== 'follower') return false;
    const { tree } = this.#ghosts;
    let expected: Configuration | null = newest;
    while (expected !== null && life.faulty.has(expected.index)) {
      const before: number = expected.index - 1;
      expected = tree.configurationAt(before, tree.termAt(before, life.latest.lastTerm) ?? 0);
      if (expected !== null && isSame(expected, raft.configuration)) return true;
    }
    return false;
  }

  #checkCarried({ id }: ServerGhost, { index, configuration }: SnapshotMetadata, verb: string): void {
    const expected = this.#ghosts.tree.configurationAt(index, this.#ghosts.committedTerm);
    if (expected === null || isSame(expected, configuration) || isStranger(configuration)) return;
    this.#ghosts.broken(
      'F7',
      `at entry ${index} ${describe(expected)} is in force`,
      `${id} ${verb} a snapshot there with ${describe(configuration)}`,
    );
  }
}

/** Of a server that waits until a cluster lets it in: it takes part in nothing. */
function isStranger({ index, members }: Configuration): boolean {
  return index === 0 && members.length === 0;
}

/** Every quorum of the one meets every quorum of the other: the voters stay, or a second half joins them, or the first one goes. */
function isStep(before: Configuration, made: Configuration): boolean {
  if (before.outgoing.length > 0) {
    return (
      isSameList(before.voters, made.voters) &&
      (made.outgoing.length === 0 || isSameList(before.outgoing, made.outgoing))
    );
  }
  return isSameList(before.voters, made.outgoing.length > 0 ? made.outgoing : made.voters);
}

function describe({ index, voters, outgoing }: Configuration): string {
  const joint = outgoing.length === 0 ? '' : ` and ${outgoing.join(' ')}`;
  return `the configuration of entry ${index} (${voters.join(' ')}${joint})`;
}

function isSame(a: Configuration, b: Configuration): boolean {
  if (a.index !== b.index || a.version !== b.version || a.protocol !== b.protocol) return false;
  if (a.members.length !== b.members.length) return false;
  if (!isSameList(a.voters, b.voters) || !isSameList(a.outgoing, b.outgoing)) return false;
  if (!isSameList(a.learners, b.learners) || !isSameList(a.learnersNext, b.learnersNext)) return false;
  return a.members.every((member, at) => {
    const other = b.members[at];
    return other?.id === member.id && other.incarnation === member.incarnation && other.context === member.context;
  });
}

function isSameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((each, at) => each === b[at]);
}
