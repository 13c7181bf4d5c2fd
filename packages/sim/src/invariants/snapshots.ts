/** E. Snapshots (§7; dissertation chapter 5). */
import type { Index, Input, MemberId, Output, RecoveredState, SnapshotMetadata } from '@quorate/raft';
import type { Ghosts } from './ghosts.ts';
import type { ServerGhost } from './server-ghost.ts';

export class Snapshots {
  readonly #ghosts: Ghosts;

  constructor(ghosts: Ghosts) {
    this.#ghosts = ghosts;
  }

  started(server: ServerGhost, recovered: RecoveredState): void {
    this.#checkCovered(server, recovered.snapshot, 'restarts with');
  }

  stepped(server: ServerGhost, input: Input): void {
    const { raft, id } = server;
    const { log, snapshot } = raft.state;
    if (log.base.index > snapshot.index || snapshot.index > log.lastIndex) {
      const first = `the log of ${id} begins behind ${log.base.index} and ends at ${log.lastIndex}`;
      this.#ghosts.broken('E3', first, `its snapshot is at ${snapshot.index}`);
    }
    if (input.kind === 'message') {
      if (input.message.kind === 'installSnapshot') this.#checkInstalled(server, input.message.snapshot);
    } else if (input.kind === 'compacted') {
      this.#checkCovered(server, input.snapshot, 'has taken');
      if (input.snapshot.index > server.before.appliedIndex) {
        this.#ghosts.broken(
          'E1',
          `${id} has applied up to ${server.before.appliedIndex}`,
          `it has a snapshot at ${input.snapshot.index}`,
        );
      }
      this.#checkVouchedFor(server, input.snapshot.index);
    }
  }

  /** Others may have committed what this disk still lacks: a snapshot that is ahead of its own log would void that at a restart. */
  #checkVouchedFor({ life, id }: ServerGhost, index: Index): void {
    const { lastIndex, installed } = life.durable;
    if (index <= Math.max(lastIndex, installed)) return;
    this.#ghosts.broken('E1', `the log on the disk of ${id} ends at ${lastIndex}`, `it keeps a snapshot at ${index}`);
  }

  /** Figure 13, steps 6 to 8: a log that holds the snapshot's last entry keeps all it has; any other is void. */
  #checkInstalled({ before, raft, id }: ServerGhost, { index, term }: SnapshotMetadata): void {
    if (raft.state.snapshot.index === index && index > before.commitIndex) {
      const isKept = before.lastIndex >= index && this.#ghosts.tree.termAt(index, before.lastTerm) === term;
      if (raft.lastIndex !== (isKept ? before.lastIndex : index)) {
        const first = `${id} had a log to ${before.lastIndex}/${before.lastTerm} when a snapshot at ${index}/${term} came`;
        this.#ghosts.broken('E4', first, `its log ends at ${raft.lastIndex} now`);
      }
    }
  }

  output(server: ServerGhost, output: Output): void {
    const installed = output.persist?.snapshot ?? output.persist?.adopt;
    if (installed) this.#checkCovered(server, installed, 'installs');
    for (const { message } of output.send) {
      if (message.kind === 'installSnapshot') this.#checkCovered(server, message.snapshot, 'sends');
    }
  }

  #checkCovered({ id }: ServerGhost, { index, term }: SnapshotMetadata, verb: string): void {
    if (index < this.#ghosts.tree.floor.index) return;
    const committed = this.#ghosts.committedTermAt(index);
    if (committed === term) return;
    const first =
      committed === null ? `nobody has committed entry ${index}` : `entry ${index}/${committed} is committed`;
    this.#ghosts.broken('E1', first, `${id} ${verb} a snapshot at ${index}/${term}`);
  }

  /** The state that a snapshot gives is the one that applying would have given. It may come before the core starts. */
  restored(id: MemberId, index: Index, digest: number): void {
    const { digests, tree, committedIndex } = this.#ghosts;
    if (index > committedIndex)
      this.#ghosts.broken(
        'E1',
        `nothing behind entry ${committedIndex} is committed`,
        `${id} restores a snapshot at ${index}`,
      );
    let at = index;
    while (at > 0 && !digests.has(at) && at > tree.floor.index) at -= 1;
    const known = digests.get(at) ?? this.#digestAtFloor(at);
    const server = this.#ghosts.servers.get(id);
    if (server !== undefined) server.machineIndex = index;
    if (known === null || known === digest) return;
    this.#ghosts.broken(
      'E2',
      `state machines have digest ${known} at entry ${index}`,
      `the snapshot there gives ${id} ${digest}`,
    );
  }

  /** The digest of the last command up to the floor, which alone is remembered of those before it. */
  #digestAtFloor(index: Index): number | null {
    let newest = 0;
    for (const at of this.#ghosts.digests.keys()) if (at <= index && at > newest) newest = at;
    return this.#ghosts.digests.get(newest) ?? null;
  }
}
