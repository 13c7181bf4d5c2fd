/** Which release each server runs: what its next run speaks is never less. Whoever begins anew, or is let in, speaks the newest. */
import type { MemberId, Release, Version } from '../../../src/index.ts';
import { firstIncarnation } from '../configurations.ts';
import type { Observer } from '../observer.ts';
import { Random } from '../random.ts';
import type { TestServer } from '../server.ts';
import { strangers } from './membership.ts';
import type { Plan } from './plan.ts';

export class Upgrades implements Observer {
  readonly #random: Random;
  readonly #isUpgraded: boolean;
  readonly #newest: Version;
  readonly #needs: Release['needs'];
  readonly #speaks = new Map<MemberId, Version>();

  constructor({ seed, upgrades, shape }: Plan) {
    this.#random = new Random(seed);
    this.#isUpgraded = upgrades;
    this.#newest = 2 + this.#random.below(2);
    // Where a cluster begins in the middle of a change, changes were possible before.
    const changes = (shape.outgoing ?? []).length > 0 ? 1 : 1 + this.#random.below(2);
    this.#needs = { membershipChanges: changes, leadershipTransfer: 1 + this.#random.below(2) };
  }

  starting(server: TestServer): void {
    if (!this.#isUpgraded) return;
    const isNew = strangers.includes(server.id) || server.incarnation !== firstIncarnation(server.id);
    const max = isNew ? this.#newest : this.#later(this.#speaks.get(server.id) ?? 1);
    this.#speaks.set(server.id, max);
    server.release = { min: 1, max, needs: this.#needs };
  }

  #later(before: Version): Version {
    return Math.min(this.#newest, before + this.#random.below(2));
  }
}
