/**
 * What really happened in a cluster, remembered from outside. The cores never read it: invariants compare what servers
 * do now with what they promised, decided and committed before, across crashes.
 */
import {
  type Configuration,
  type Entry,
  EntryKind,
  type Incarnation,
  type Index,
  type LogPosition,
  type MemberId,
  type Role,
  type Term,
} from '../../../src/index.ts';
import { configurationOf } from '../log-image.ts';
import type { TestServer } from '../server.ts';

/** An invariant does not hold. The message begins with its name. */
export class InvariantViolation extends Error {
  override readonly name = 'InvariantViolation';
}

export function must(holds: boolean, name: string, explain: () => string): void {
  if (!holds) {
    throw new InvariantViolation(`${name}: ${explain()}`);
  }
}

export interface Committed {
  readonly term: Term;
  readonly chain: number;
  /** The term of the leader that committed it; at least the entry's own. */
  readonly commitTerm: Term;
}

/** A server as it was after the step before. */
export interface View {
  role: Role;
  term: Term;
  commitIndex: Index;
  appliedIndex: Index;
  /** On a leader, what it knew of each follower. */
  match: Map<MemberId, { matchIndex: Index; nextIndex: Index; incarnation: Incarnation | null }>;
  /** Inputs stepped since an output was last taken. */
  gathered: number;
  /** As it was when an output was last taken. */
  atOutput: { readonly role: Role; readonly term: Term; readonly commitIndex: Index };
}

export class Ghosts {
  readonly leaders = new Map<Term, MemberId>();
  /** By `voter/term`: whom the voter's life sent its vote to. */
  readonly votes = new Map<string, MemberId>();
  /** By `index/term`: the fingerprint of the only log that may end in such an entry. */
  readonly created = new Map<string, number>();
  readonly createdTerms = new Set<Term>();
  /** By `index/term`: the command in that entry. */
  readonly commands = new Map<string, string>();
  /** By term: index → fingerprint of its leader's log. */
  readonly leaderLogs = new Map<Term, Map<Index, number>>();
  readonly committed = new Map<Index, Committed>();
  committedTo: Index = 0;
  readonly configurations: Configuration[];
  /** By `index/term`: the configuration in that entry. */
  readonly #definitions = new Map<string, Configuration>();
  /** By `follower/term`: the highest index that it acknowledged to the leader of that term. */
  readonly acks = new Map<string, Index>();
  readonly views = new Map<MemberId, View>();

  constructor(configuration: Configuration) {
    this.configurations = [configuration];
  }

  view(server: TestServer): View {
    const view = this.views.get(server.id);
    if (view === undefined) {
      throw new Error(`${server.id} was never started`);
    }
    return view;
  }

  /** Registers an entry whose log has fingerprint `chain`. The first to show it must be the leader of its term. */
  register(server: TestServer, entry: Entry, chain: number): void {
    const key = positionKey(entry);
    const known = this.created.get(key);
    if (known === undefined) {
      must(this.leaders.get(entry.term) === server.id, 'B4 one creator', () => {
        return `${server.id} has entry ${key}, but the leader of that term is ${this.leaders.get(entry.term) ?? 'nobody'}`;
      });
      this.created.set(key, chain);
      this.createdTerms.add(entry.term);
      if (entry.kind === EntryKind.configuration) {
        this.#definitions.set(key, configurationOf(entry));
      } else if (entry.kind === EntryKind.command) {
        this.commands.set(key, new TextDecoder().decode(entry.data));
      }
    } else {
      must(
        known === chain,
        'B3 log matching',
        () => `${server.id} has entry ${key} behind another log than its creator`,
      );
    }
  }

  /** A log that stood on a disk before the cluster started. */
  adopt(entries: readonly Entry[], chains: (index: Index) => number | null): void {
    for (const entry of entries) {
      const key = positionKey(entry);
      const chain = chains(entry.index) ?? 0;
      const known = this.created.get(key);
      must(known === undefined || known === chain, 'B3 log matching', () => `the given logs disagree at ${key}`);
      this.created.set(key, chain);
      this.createdTerms.add(entry.term);
    }
  }

  commit(index: Index, committed: Committed): void {
    this.committed.set(index, committed);
    this.committedTo = index;
    const definition = this.#definitions.get(positionKey({ index, term: committed.term }));
    if (definition !== undefined) {
      this.configurations.push(definition);
    }
  }

  /** The configuration that a snapshot at `index` must carry. */
  configurationAt(index: Index): Configuration {
    const found = this.configurations.filter((configuration) => configuration.index <= index).at(-1);
    if (found === undefined) {
      throw new Error(`no configuration at ${index}`);
    }
    return found;
  }
}

export function positionKey(position: LogPosition): string {
  return `${position.index}/${position.term}`;
}

/** A member's life: what another incarnation promised binds it no more. */
export function lifeKey(server: TestServer): string {
  return `${server.id}@${server.incarnation}`;
}
