/**
 * What may be destroyed so that a correct cluster must survive it. docs/simulator.md, "Disks", gives the rule and its reasons; in short,
 * with f = |C| − q(C) servers that may be missing from every quorum:
 *
 * - Some servers, `lost` of them and at most f, are *doomed* for the whole run: anything on their disks may be destroyed.
 * - Of the others, single places in the log may be destroyed. Indexes are dealt out in zones, and each zone names the f − lost servers
 *   whose copies of it may suffer, so that of every index at most f copies are bad and some quorum member keeps a good one.
 * - Some of those f − lost have good logs throughout, and damaged snapshots instead.
 * - Nobody's newest batches: they may hold the only copy of the newest term and vote.
 *
 * Nothing is ever destroyed in a way that nobody could notice, doomed or not: see `#erasureIsSeen`.
 */
import type { MemberId } from '@quorate/raft';
import { peekSegment } from '@quorate/runtime';
import { RandomStream } from '../random.ts';
import type { DamagePolicy, Place } from './damage-policy.ts';
import { segmentOf } from './segments.ts';

export interface BudgetOptions {
  /** The founding members: there are never fewer voters. */
  readonly servers: readonly MemberId[];
  /** Servers that may be let in. Their copies may suffer like those of the others. */
  readonly spares?: readonly MemberId[];
  /** How many of them are doomed. Cut to what a majority can do without. */
  readonly lost: number;
  /** Whether the log of the others may be damaged. */
  readonly entries: boolean;
  /** Everything that can be noticed may be destroyed, everywhere: safety must still hold, progress may not. */
  readonly beyond: boolean;
}

/** How many consecutive indexes share their fate. */
const ZONE_INDEXES = 16;

/** Two batches behind a place in a log tell what stood there, and that it was durable. */
const BATCHES_BEHIND = 2;

/** Terms that one damaged place may span: the seals behind it name a few more. */
const MOST_TERMS = 12;

/** Draws the servers whose snapshots may be damaged. */
const FORGETFUL = 0x5f356495;

/** Where a snapshot's header says how long it is. */
const SNAPSHOT_HEADER_LENGTH_AT = 16;

/** The second copy of two in `hardstate`. */
const SECOND_COPY_OFFSET = 4096;

export class DamageBudget {
  /** Servers whose disks may be ruined, and with them these servers. */
  readonly doomed: ReadonlySet<MemberId>;
  readonly #options: BudgetOptions;
  readonly #seed: number;
  /** How many more servers may miss an index. */
  readonly #spare: number;
  /** Others whose snapshots may be damaged: with one goes what it stands for, and so every index counts as missing there. */
  readonly forgetful: ReadonlySet<MemberId>;
  /** The rest, in the order of the configuration: their logs may suffer. */
  readonly #others: readonly MemberId[];

  constructor(stream: RandomStream, options: BudgetOptions) {
    const { servers } = options;
    const dispensable = servers.length - (Math.floor(servers.length / 2) + 1);
    const lost = Math.min(Math.max(0, options.lost), dispensable);
    this.#options = options;
    this.#seed = stream.uint32();
    this.doomed = new Set(drawn(servers, lost, stream));
    const spare = options.entries ? dispensable - lost : 0;
    const others = servers.filter((server) => !this.doomed.has(server));
    const own = new RandomStream((this.#seed ^ FORGETFUL) >>> 0);
    this.forgetful = new Set(drawn(others, own.below(spare + 1), own));
    this.#spare = spare - this.forgetful.size;
    this.#others = [...others, ...(options.spares ?? [])].filter((server) => !this.forgetful.has(server));
  }

  /**
   * Whether the server may lose its disk altogether. Never more than the doomed, not even beyond the budget: a majority of empty
   * directories cannot be told from a cluster that is founded for the first time.
   */
  mayLoseDisk(server: MemberId): boolean {
    return this.doomed.has(server);
  }

  /** Whether the server's copy of an entry may be destroyed, as far as the other copies matter. */
  mayMissEntry(server: MemberId, index: number): boolean {
    return this.#options.beyond || this.doomed.has(server) || this.#mayMiss(server, index);
  }

  /** The policy of one server's disk. Ask for it once: it remembers what was destroyed, over all lives of the server. */
  policyOf(server: MemberId): DamagePolicy {
    const isFree = this.#options.beyond || this.doomed.has(server);
    return new ServerPolicy(isFree, this.forgetful.has(server), (index) => this.#mayMiss(server, index));
  }

  #mayMiss(server: MemberId, index: number): boolean {
    if (this.#spare === 0) return false;
    const zone = Math.floor(index / ZONE_INDEXES);
    const stream = new RandomStream((this.#seed ^ Math.imul(zone + 1, 0x9e3779b1)) >>> 0);
    return drawn(this.#others, this.#spare, stream).includes(server);
  }
}

class ServerPolicy implements DamagePolicy {
  readonly #free: boolean;
  readonly #mayForget: boolean;
  readonly #mayMiss: (index: number) => boolean;
  /** Files in which something was destroyed, and whether by erasing it. */
  readonly #touched = new Map<string, 'erased' | 'spoilt'>();

  constructor(free: boolean, mayForget: boolean, mayMiss: (index: number) => boolean) {
    this.#free = free;
    this.#mayForget = mayForget;
    this.#mayMiss = mayMiss;
  }

  mayDamage(place: Place, erases: boolean, landing?: Place): boolean {
    if (!this.#isSeen(place, erases)) return false;
    // What stands behind the erased place proves that something stood there: none of that may suffer.
    if (landing !== undefined && landing.offset + landing.length > place.offset) return false;
    if (!this.#free && !(this.#isSpared(place) && (landing === undefined || this.#isSpared(landing)))) return false;
    this.#touched.set(place.path, erases ? 'erased' : 'spoilt');
    return true;
  }

  /**
   * What was erased looks like a write that a crash cut off, and is told from one only by a later batch that is intact. So where
   * something was erased nothing else is destroyed, and the other way round; but where a write went that erased by going astray.
   */
  #isSeen(place: Place, erases: boolean): boolean {
    const before = this.#touched.get(place.path);
    return before === undefined || (before === 'spoilt' && !erases);
  }

  /** Whether a server that must come up again can do without this place. */
  #isSpared(place: Place): boolean {
    const segment = segmentOf(place.path);
    if (place.path === 'hardstate') return place.offset >= SECOND_COPY_OFFSET;
    if (segment === null) return this.#mayForget && isBehindSnapshotHeader(place);
    const { offset, length, content } = place;
    const read = (at: number, bytes: number): Uint8Array => content.read(at, bytes);
    const peeked = peekSegment(segment, content.length, read, offset, offset + length);
    if (peeked === null || peeked.batchesBehind < BATCHES_BEHIND || peeked.terms > MOST_TERMS) return false;
    // Of headers, seals and padding nothing is missed.
    if (peeked.firstIndex === 0) return true;
    for (let index = peeked.firstIndex; index <= peeked.lastIndex; index++) if (!this.#mayMiss(index)) return false;
    return true;
  }
}

/** Of a snapshot only the header is needed: it says who the members are. */
function isBehindSnapshotHeader({ path, offset, content }: Place): boolean {
  if (!path.endsWith('.snap') || content.length < SNAPSHOT_HEADER_LENGTH_AT + 4) return false;
  const length = content.read(SNAPSHOT_HEADER_LENGTH_AT, 4);
  return offset >= new DataView(length.buffer, length.byteOffset, 4).getUint32(0, true);
}

/** So many of them, each equally likely. */
function drawn(servers: readonly MemberId[], count: number, stream: RandomStream): readonly MemberId[] {
  const left = [...servers];
  return Array.from({ length: Math.min(count, left.length) }, () => left.splice(stream.below(left.length), 1)).flat();
}
