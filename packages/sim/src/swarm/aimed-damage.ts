/**
 * Damage that is aimed. Rot somewhere on a disk mostly hits what nobody reads again, so these deeds pick what is still needed, destroy
 * as many copies as the budget allows, and bring about the restart that meets it.
 */
import type { CrashKind } from '../disk/index.ts';
import type { ServerProcess } from '../world/process.ts';
import type { Hands } from './hands.ts';

const SECOND = 1_000_000;

/** Indexes that are tried until one may be damaged. */
const TRIES = 8;
/** Behind an entry that is damaged stand others that are not (docs/simulator.md, "What may be destroyed"). */
const NEWEST_SPARED = 2;

export class AimedDamage {
  readonly #hands: Hands;

  constructor(hands: Hands) {
    this.#hands = hands;
  }

  /** An entry is damaged; mostly the servers that it stands on start again. */
  spoil(): void {
    const { world, stream } = this.#hands;
    const spoilt = this.#spoilLive(world.servers, stream.pick([4, 16, 64]), stream.below(2) === 0);
    switch (stream.below(4)) {
      case 0:
        // Whoever reads the log next meets it: for a slow follower, or when it starts again for another reason.
        return;
      case 1:
        return this.restart(world.servers, spoilt);
      default:
        return this.restart(spoilt, spoilt);
    }
  }

  /**
   * Some servers are cut off and fall behind; then an entry that they lack is damaged, and all go down. First come back those that have
   * the damaged entry and those that never had it: nobody among them knows it, and it may be committed.
   */
  strand(): void {
    const { world, stream } = this.#hands;
    const behind = this.#someFollowers();
    if (behind.length === 0) return this.spoil();
    this.#hands.cutOff(
      behind.map(({ id }) => id),
      'silent',
    );
    this.#hands.later(stream.between(SECOND / 2, 3 * SECOND), () => {
      const ahead = world.servers.filter((server) => !behind.includes(server));
      const spoilt = this.#spoilLive(ahead, 6, true);
      this.#hands.do({ kind: 'heal' });
      if (spoilt.length > 0) this.restart(world.servers, [...behind, ...spoilt]);
    });
  }

  /** All of them go down at once; those of `first` come back first. */
  restart(servers: readonly ServerProcess[], first: readonly ServerProcess[]): void {
    const { stream } = this.#hands;
    const how: CrashKind = stream.below(3) === 0 ? 'process' : 'power';
    for (const server of servers) {
      const { id } = server;
      if (!this.#hands.do({ kind: 'crash', server: id, how })) continue;
      const pause = first.includes(server) ? stream.below(SECOND / 10) + 1 : this.#hands.duration(8);
      this.#hands.later(pause, () => this.#hands.do({ kind: 'start', server: id }));
    }
  }

  /** Damages the copies of one of the `newest` entries, on every server that may miss it or on some. Returns on which. */
  #spoilLive(servers: readonly ServerProcess[], newest: number, onAll: boolean): readonly ServerProcess[] {
    const { stream, budget } = this.#hands;
    const running = servers.filter(({ node }) => node !== null);
    const status = running.length === 0 ? undefined : stream.pick(running).node?.status();
    if (status === undefined) return [];
    for (let tries = 0; tries < TRIES; tries++) {
      const index = status.lastIndex - NEWEST_SPARED - stream.below(newest);
      // What a snapshot covers is not read again.
      if (index <= status.snapshot.index) continue;
      const possible = running.filter(({ id }) => budget.mayMissEntry(id, index));
      const chosen = onAll ? possible : possible.filter(() => stream.below(2) === 0);
      const spoilt = chosen.filter(({ id }) => this.#hands.do({ kind: 'spoil', server: id, index }));
      if (spoilt.length > 0) return spoilt;
    }
    return [];
  }

  /** As many as a majority can do without, at most; not the leader. */
  #someFollowers(): readonly ServerProcess[] {
    const { world, stream } = this.#hands;
    const most = Math.floor((world.servers.length - 1) / 2);
    const left = world.servers.filter(({ node }) => node !== null && !node.isLeader);
    const count = Math.min(most === 0 ? 0 : stream.between(1, most), left.length);
    return Array.from({ length: count }, () => left.splice(stream.below(left.length), 1)).flat();
  }
}
