/**
 * Every log that ever was, as a tree. The entries of one term are made by one leader, one behind the other (§5.3), so they are a
 * *branch*, which grows out of an entry of an earlier term. By the Log Matching Property a log is then fully named by its last
 * position, and "does this log hold entry 7 of term 2" is a walk over a few branches, whatever the logs' lengths.
 */
import {
  type Configuration,
  decodeConfiguration,
  type Entry,
  EntryKind,
  type Index,
  type MemberId,
  type Term,
} from '@quorate/raft';
import { chainEntry, emptyChain } from './chain.ts';
import type { Judge } from './judge.ts';

export interface Branch {
  readonly term: Term;
  /** Who made its entries. */
  readonly leader: MemberId;
  readonly first: Index;
  /** The branch that holds entry `first` - 1; null if that is the floor, or nothing. */
  parent: Branch | null;
  last: Index;
  /** Fingerprints and kinds of the entries from `kept` on. */
  kept: Index;
  chains: number[];
  kinds: EntryKind[];
  /** Those that its entries define, oldest first. */
  configurations: Configuration[];
}

/** A position, with the fingerprint of the log up to it. Nothing below the floor is remembered: all servers have compacted it. */
export interface Floor {
  readonly index: Index;
  readonly term: Term;
  readonly chain: number;
}

export class LogTree {
  readonly #judge: Judge;
  readonly #branches = new Map<Term, Branch>();
  #floor: Floor = { index: 0, term: 0, chain: emptyChain };
  /** The one in force at the floor. */
  #floorConfiguration: Configuration | null = null;

  constructor(judge: Judge) {
    this.#judge = judge;
  }

  get floor(): Floor {
    return this.#floor;
  }

  /** How many entries are remembered. */
  get size(): number {
    let size = 0;
    for (const branch of this.#branches.values()) size += branch.chains.length;
    return size;
  }

  branch(term: Term): Branch | undefined {
    return this.#branches.get(term);
  }

  /** The cluster was created, or is found, with this state behind `floor`. */
  found(floor: Floor, configuration: Configuration): void {
    this.#floor = floor;
    this.#floorConfiguration = configuration;
  }

  get isFounded(): boolean {
    return this.#floorConfiguration !== null;
  }

  /** The branch that holds `index` in the log that ends in (`index` or later, `lastTerm`); null at the floor or below it. */
  #holder(index: Index, lastTerm: Term): Branch | null {
    if (index <= this.#floor.index) return null;
    let branch = this.#branches.get(lastTerm) ?? null;
    while (branch !== null && branch.first > index) branch = branch.parent;
    return branch !== null && index <= branch.last ? branch : null;
  }

  /**
   * The term of entry `index` in the log that ends with an entry of `lastTerm` at `index` or behind it. Null if there is no such
   * entry, or it lies below the floor.
   */
  termAt(index: Index, lastTerm: Term): Term | null {
    if (index === this.#floor.index) return this.#floor.term;
    return this.#holder(index, lastTerm)?.term ?? null;
  }

  /** Null where `termAt` is. */
  chainAt(index: Index, lastTerm: Term): number | null {
    if (index === this.#floor.index) return this.#floor.chain;
    const branch = this.#holder(index, lastTerm);
    return branch?.chains[index - branch.kept] ?? null;
  }

  kindAt(index: Index, lastTerm: Term): EntryKind | null {
    const branch = this.#holder(index, lastTerm);
    return branch?.kinds[index - branch.kept] ?? null;
  }

  /** The configuration in force at `index`, in the log that ends as above; null below the floor. */
  configurationAt(index: Index, lastTerm: Term): Configuration | null {
    if (index < this.#floor.index) return null;
    let end = index;
    for (let branch = this.#holder(index, lastTerm); branch !== null; branch = branch.parent) {
      for (let at = branch.configurations.length - 1; at >= 0; at--) {
        const configuration = branch.configurations[at];
        if (configuration !== undefined && configuration.index <= end) return configuration;
      }
      end = branch.first - 1;
    }
    return this.#floorConfiguration;
  }

  /**
   * `server` has `entry` behind one of `before`. The first to show an entry must be the leader of its term, given as `leader`
   * (null: nobody led it); whoever shows it later must have the same log up to it.
   *
   * @throws Violation (B3, B4), or leaves the tree as it is
   */
  enter(server: MemberId, entry: Entry, before: Term, leader: MemberId | null): void {
    const { index, term } = entry;
    if (index <= this.#floor.index) return;
    const branch = this.#branches.get(term);
    if (branch !== undefined && index <= branch.last) this.#compare(server, entry, before, branch);
    else this.#grow(server, entry, before, leader, branch);
  }

  #compare(server: MemberId, entry: Entry, before: Term, branch: Branch): void {
    const { index, term } = entry;
    if (index < branch.first) {
      this.#judge.broken(
        'B4',
        `${branch.leader} led term ${term} from entry ${branch.first} on`,
        `${server} has entry ${index} of it`,
      );
    } else if (!this.holds(entry, before)) {
      const first = `${branch.leader} made entry ${index} of term ${term} behind a log of its own`;
      this.#judge.broken('B3', first, `${server} has another entry there, or the same behind another log`);
    }
  }

  /** Whether `entry`, behind one of `before`, is the one that the leader of its term made. True where that is forgotten. */
  holds(entry: Entry, before: Term): boolean {
    if (entry.index <= this.#floor.index) return true;
    const branch = this.#branches.get(entry.term);
    const known = branch?.chains[entry.index - branch.kept];
    const chain = this.chainAt(entry.index - 1, before);
    return known !== undefined && chain !== null && chainEntry(chain, entry) === known;
  }

  #grow(server: MemberId, entry: Entry, before: Term, leader: MemberId | null, branch: Branch | undefined): void {
    const { index, term } = entry;
    if (leader !== server) {
      const first =
        leader === null ? `nobody has led term ${term}` : `${leader} leads term ${term} and has no entry ${index}`;
      this.#judge.broken('B4', first, `${server} has an entry ${index} of that term`);
    }
    const chain = this.chainAt(index - 1, before);
    const isNext = branch === undefined ? chain !== null : before === term && index === branch.last + 1;
    if (chain === null || !isNext) {
      const end =
        branch === undefined ? `there is no entry ${index - 1} of term ${before}` : `its log ends at ${branch.last}`;
      this.#judge.broken('B4', `${server} leads term ${term} and ${end}`, `it makes entry ${index}`);
      return;
    }
    const grown = branch ?? this.#sprout(server, entry, before);
    grown.chains.push(chainEntry(chain, entry));
    grown.kinds.push(entry.kind);
    grown.last = index;
    if (entry.kind !== EntryKind.configuration) return;
    const configuration = decodeConfiguration(entry.data, index);
    if (configuration !== null) grown.configurations.push(configuration);
    else this.#judge.broken('F7', `entry ${index} of term ${term} is a configuration`, 'it cannot be decoded');
  }

  #sprout(leader: MemberId, { index, term }: Entry, before: Term): Branch {
    const parent = this.#holder(index - 1, before);
    const branch: Branch = {
      term,
      leader,
      first: index,
      parent,
      last: index - 1,
      kept: index,
      chains: [],
      kinds: [],
      configurations: [],
    };
    this.#branches.set(term, branch);
    return branch;
  }

  /** Forgets everything up to `index`, of a log that ends in `lastTerm`: every server has it in a snapshot. */
  prune(index: Index, lastTerm: Term): void {
    const term = this.termAt(index, lastTerm);
    const chain = this.chainAt(index, lastTerm);
    if (index <= this.#floor.index || term === null || chain === null) return;
    this.#floorConfiguration = this.configurationAt(index, lastTerm);
    for (const branch of this.#branches.values()) {
      if (branch.parent !== null && branch.parent.last <= index) branch.parent = null;
      if (branch.last <= index) this.#branches.delete(branch.term);
      else if (branch.kept <= index) {
        branch.chains = branch.chains.slice(index + 1 - branch.kept);
        branch.kinds = branch.kinds.slice(index + 1 - branch.kept);
        branch.kept = index + 1;
        branch.configurations = branch.configurations.filter((configuration) => configuration.index > index);
      }
    }
    this.#floor = { index, term, chain };
  }
}
