/** Disks and restarts: invariants D2 and D3. (D1 stands where promises are made: elections.ts, logs.ts.) */
import type { Input, RecoveredState } from '../../../src/index.ts';
import type { Observer } from '../observer.ts';
import type { TestServer } from '../server.ts';
import { type Ghosts, must } from './ghosts.ts';

export class DurabilityInvariants implements Observer {
  readonly #ghosts: Ghosts;

  constructor(ghosts: Ghosts) {
    this.#ghosts = ghosts;
  }

  starting(server: TestServer, recovered: RecoveredState): void {
    this.#ghosts.views.set(server.id, {
      role: 'follower',
      term: recovered.hardState.term,
      commitIndex: recovered.snapshot.index,
      appliedIndex: recovered.applied,
      match: new Map(),
      gathered: 0,
      atOutput: { role: 'follower', term: recovered.hardState.term, commitIndex: recovered.snapshot.index },
    });
  }

  started(server: TestServer): void {
    const { core } = server;
    const { durable } = server.disk;
    must(
      core.term >= durable.hardState.term &&
        (core.term > durable.hardState.term || core.hardState.vote === durable.hardState.vote) &&
        core.lastIndex === durable.lastIndex &&
        core.termAt(core.lastIndex) === durable.lastTerm,
      'D2 restart is faithful',
      () =>
        `${server.id} restarts in term ${core.term} with a log to ${core.lastIndex}; its disk has term ${durable.hardState.term} and ${durable.lastIndex}`,
    );
  }

  stepping(server: TestServer, _input: Input): void {
    const view = this.#ghosts.view(server);
    const { core, disk } = server;
    if (view.gathered > 0 || disk.pending.length > 0) {
      return;
    }
    const { hardState } = disk.durable;
    must(
      core.term === hardState.term &&
        core.hardState.vote === hardState.vote &&
        core.lastIndex === disk.durable.lastIndex,
      'D3 idle means durable',
      () =>
        `${server.id} is idle in term ${core.term}, vote ${core.hardState.vote}, last ${core.lastIndex}; ` +
        `its disk says ${hardState.term}, ${hardState.vote}, ${disk.durable.lastIndex}`,
    );
  }
}
