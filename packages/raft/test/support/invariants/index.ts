/** All invariants of a cluster, in the order in which a step must be judged. */
import type { Configuration, Input, Output } from '../../../src/index.ts';
import type { Observer } from '../observer.ts';
import type { TestServer } from '../server.ts';
import { CommitInvariants } from './commits.ts';
import { DurabilityInvariants } from './durability.ts';
import { ElectionInvariants } from './elections.ts';
import { Ghosts } from './ghosts.ts';
import { LogInvariants } from './logs.ts';
import { ServiceInvariants } from './service.ts';
import { VersionInvariants } from './versions.ts';

export { type Ghosts, InvariantViolation } from './ghosts.ts';

export interface Invariants {
  readonly ghosts: Ghosts;
  readonly observers: readonly Observer[];
}

export function invariants(configuration: Configuration, servers: () => Iterable<TestServer>): Invariants {
  const ghosts = new Ghosts(configuration);
  return {
    ghosts,
    observers: [
      new DurabilityInvariants(ghosts),
      new ElectionInvariants(ghosts),
      new LogInvariants(ghosts),
      new CommitInvariants(ghosts, servers),
      new VersionInvariants(ghosts),
      new ServiceInvariants(ghosts),
      new ViewKeeper(ghosts),
    ],
  };
}

/** Remembers each server as this step leaves it. Comes last. */
class ViewKeeper implements Observer {
  readonly #ghosts: Ghosts;

  constructor(ghosts: Ghosts) {
    this.#ghosts = ghosts;
  }

  stepped(server: TestServer, _input: Input): void {
    const { core } = server;
    const view = this.#ghosts.view(server);
    view.role = core.role;
    view.term = core.term;
    view.commitIndex = core.commitIndex;
    view.appliedIndex = core.status().appliedIndex;
    view.gathered++;
  }

  output(server: TestServer, _output: Output): void {
    const view = this.#ghosts.view(server);
    view.gathered = 0;
    view.atOutput = { role: view.role, term: view.term, commitIndex: view.commitIndex };
  }
}
