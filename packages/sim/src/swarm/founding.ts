/**
 * When a disk may be lost whole. A server that never wrote anything knows as little as one that lost everything: as long as there is
 * one of the first kind, together they may be a majority that founds the cluster for a second time, and nobody among them could tell.
 * So no disk is lost before every server that keeps its own has the lives of all members on it; but for one at a time, in a run that is
 * about just that moment (unbound-loss.ts).
 */
import type { DamageBudget } from '../disk/index.ts';
import type { World } from '../world/world.ts';

export class Founding {
  readonly #world: World;
  readonly #budget: DamageBudget;
  /** Servers that keep their disks and do not know yet, as far as was seen; null until the first look. */
  #unaware: Set<string> | null = null;

  /** `early`: the run is about disks that are lost while the cluster is founded. */
  constructor(world: World, budget: DamageBudget, early: boolean) {
    this.#world = world;
    this.#budget = budget;
    if (early) this.#unaware = new Set();
  }

  /** A server went on: it may have learned something. */
  onOutput(server: string): void {
    const unaware = (this.#unaware ??= this.#keepers());
    if (unaware.size > 0 && unaware.has(server) && this.#knowsLives(server)) unaware.delete(server);
  }

  mayLoseDisk(server: string): boolean {
    return this.#budget.mayLoseDisk(server) && this.#unaware?.size === 0;
  }

  #keepers(): Set<string> {
    const { servers } = this.#world;
    return new Set(servers.map(({ id }) => id).filter((id) => !this.#budget.mayLoseDisk(id)));
  }

  #knowsLives(server: string): boolean {
    const { node } = this.#world.server(server);
    if (node === null || node.configuration.members.some(({ incarnation }) => incarnation === null)) return false;
    return node.status().durableIndex >= node.configuration.index;
  }
}
