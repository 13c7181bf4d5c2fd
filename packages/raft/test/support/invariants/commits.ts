/** Commitment, application and snapshots: invariants C1 to C8, E1, E3, E4, F1, F7. */
import {
  type Configuration,
  type Entry,
  EntryKind,
  type Index,
  type Input,
  type LogPosition,
  type Outgoing,
  type PersistBatch,
} from '../../../src/index.ts';
import { chainEntry, emptyChain } from '../chain.ts';
import { isQuorum } from '../configurations.ts';
import type { Observer } from '../observer.ts';
import type { TestServer } from '../server.ts';
import { type Ghosts, must } from './ghosts.ts';

export class CommitInvariants implements Observer {
  readonly #ghosts: Ghosts;
  readonly #servers: () => Iterable<TestServer>;

  constructor(ghosts: Ghosts, servers: () => Iterable<TestServer>) {
    this.#ghosts = ghosts;
    this.#servers = servers;
  }

  stepped(server: TestServer, _input: Input): void {
    const { core } = server;
    const view = this.#ghosts.view(server);
    const status = core.status();
    const say = (): string =>
      `${server.id}: base ${status.baseIndex}, snapshot ${status.snapshot.index}, applied ${status.appliedIndex}, ` +
      `commit ${status.commitIndex}, last ${status.lastIndex}; before: applied ${view.appliedIndex}, commit ${view.commitIndex}`;
    must(status.appliedIndex <= status.commitIndex && status.commitIndex <= status.lastIndex, 'C1 index order', say);
    must(status.commitIndex >= view.commitIndex && status.appliedIndex >= view.appliedIndex, 'C2/E4 never back', say);
    must(status.baseIndex <= status.snapshot.index && status.snapshot.index <= status.lastIndex, 'E3 no gap', say);
    if (core.commitIndex > view.commitIndex) {
      this.#committed(server, view.commitIndex, core.commitIndex);
    }
  }

  submitted(server: TestServer, _batch: PersistBatch): void {
    if (!server.core.knowsConfigurationAt(server.core.lastIndex)) {
      return;
    }
    const expected = server.disk.latest.configuration;
    must(sameConfiguration(server.core.configuration, expected), 'F1 the newest configuration is in force', () => {
      return `${server.id} acts by the one of ${server.core.configuration.index}, its log holds one of ${expected.index}`;
    });
  }

  sent(server: TestServer, { message }: Outgoing): void {
    if (message.kind === 'installSnapshot') {
      this.#checkSnapshot(server, message.snapshot);
    }
  }

  compacted(server: TestServer, position: LogPosition): void {
    this.#checkSnapshot(server, { ...position, configuration: server.core.configurationAt(position.index) });
  }

  applied(server: TestServer, entries: readonly Entry[]): void {
    for (const entry of entries) {
      const before = entry.index === 1 ? emptyChain : this.#ghosts.committed.get(entry.index - 1)?.chain;
      const committed = this.#ghosts.committed.get(entry.index);
      must(
        committed !== undefined && (before === undefined || chainEntry(before, entry) === committed.chain),
        'C7 apply what is committed',
        () => `${server.id} applies ${entry.index}/${entry.term}, committed is ${committed?.term ?? 'nothing'}`,
      );
    }
    this.#checkMachine(server);
  }

  restored(server: TestServer): void {
    this.#checkMachine(server);
  }

  #committed(server: TestServer, from: Index, to: Index): void {
    const { core } = server;
    if (core.role === 'leader' && to > this.#ghosts.committedTo) {
      this.#checkBacking(server, to);
      for (let index = this.#ghosts.committedTo + 1; index <= to; index++) {
        const term = core.termAt(index) ?? -1;
        const chain = this.#ghosts.leaderLogs.get(core.term)?.get(index) ?? -1;
        this.#ghosts.commit(index, { term, chain, commitTerm: core.term });
      }
    }
    for (let index = from + 1; index <= to; index++) {
      const own = core.termAt(index);
      const committed = this.#ghosts.committed.get(index);
      must(committed !== undefined && (own === committed.term || own === null), 'C5 state machine safety', () => {
        return `${server.id} commits ${index}/${own}; the cluster committed ${committed ? `${index}/${committed.term}` : 'nothing there'}`;
      });
    }
  }

  /** §5.4.2, §6: by an entry of the leader's own term, which a quorum holds on its disks. */
  #checkBacking(server: TestServer, index: Index): void {
    const { core } = server;
    must(core.termAt(index) === core.term, 'C3 only by its own term', () => {
      return `${server.id} commits ${index}/${core.termAt(index)} as leader of term ${core.term}`;
    });
    const chain = this.#ghosts.leaderLogs.get(core.term)?.get(index);
    const backers: string[] = [];
    for (const other of this.#servers()) {
      const { durable, lost } = other.disk;
      // A leader counts itself only as far as its copy is whole; followers are held to it when they acknowledge (logs.ts).
      if (other === server && [...durable.faulty].some((at) => at > this.#ghosts.committedTo && at <= index)) {
        continue;
      }
      if ([durable, ...lost].some((disk) => disk.chainAt(index) === chain || disk.base.index > index)) {
        backers.push(other.id);
      }
    }
    const configuration = core.configuration;
    must(isQuorum(configuration, new Set(backers)), 'C4/D1/F5/F6 a quorum holds it', () => {
      return `${server.id} commits ${index} in term ${core.term}, durable only on ${backers.join(' ') || 'none'}`;
    });
  }

  #checkSnapshot(server: TestServer, snapshot: LogPosition & { readonly configuration: Configuration }): void {
    if (snapshot.index === 0) {
      return;
    }
    const committed = this.#ghosts.committed.get(snapshot.index);
    must(committed?.term === snapshot.term, 'E1 a snapshot covers a committed prefix', () => {
      return `${server.id} has one at ${snapshot.index}/${snapshot.term}, committed is ${committed?.term ?? 'nothing'}`;
    });
    const expected = this.#ghosts.configurationAt(snapshot.index);
    must(sameConfiguration(snapshot.configuration, expected), 'F7 one configuration an index', () => {
      return `the snapshot of ${server.id} at ${snapshot.index} carries the configuration of ${snapshot.configuration.index}, not ${expected.index}`;
    });
  }

  /** Replicas that applied the same prefix hold the same commands: those of the committed entries, in order. */
  #checkMachine(server: TestServer): void {
    const { position, commands } = server.machine;
    const expected = this.#digests.get(position.index);
    const digest = commands.join('\n');
    must(
      expected === undefined || expected === digest,
      'C8 equal replicas',
      () => `${server.id} differs at ${position.index}`,
    );
    this.#digests.set(position.index, digest);
  }

  readonly #digests = new Map<Index, string>();
}

export function sameConfiguration(a: Configuration, b: Configuration): boolean {
  return JSON.stringify(canonical(a)) === JSON.stringify(canonical(b));
}

function canonical(of: Configuration): unknown {
  return [
    of.index,
    of.voters,
    of.outgoing,
    of.learners,
    of.learnersNext,
    of.members.map((m) => [m.id, m.incarnation, m.context]),
    of.version,
    of.protocol,
    of.target,
    of.former,
  ];
}

export function isCommand(entry: Entry): boolean {
  return entry.kind === EntryKind.command;
}
