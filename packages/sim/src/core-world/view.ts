/** What a screen shows of a world: fresh, plain objects that say everything in words of the paper. */
import { EntryKind, type Index, type MemberId, type Micros, type Role, type Term, type TimerName } from '@quorate/raft';
import { entryOn, type Machine } from './disk.ts';
import type { CoreServer, ServerStatus } from './server.ts';

/**
 * How safe an entry is on one server.
 *
 * - `volatile`: in memory only. - `written`: handed to the disk, not yet durable. - `fsynced`: a crash does not take it away.
 * - `faulty`: its record is damaged.
 */
export type Durability = 'volatile' | 'written' | 'fsynced' | 'faulty';

export interface EntryView {
  readonly index: Index;
  readonly term: Term;
  readonly kind: 'noop' | 'command' | 'configuration';
  /** The command, as text; '' for others. */
  readonly text: string;
  readonly durability: Durability;
}

export interface TimerView {
  readonly name: TimerName;
  readonly min: Micros;
  readonly max: Micros;
  readonly armedAt: Micros;
  readonly due: Micros;
}

export interface FollowerView {
  readonly id: MemberId;
  readonly state: 'probe' | 'replicate' | 'snapshot';
  readonly match: Index;
  readonly next: Index;
}

export interface ServerView {
  readonly id: MemberId;
  readonly status: ServerStatus;
  /** Why it is broken, or null. */
  readonly failure: string | null;
  readonly crashesAtDisk: boolean;
  /** Null while it is down. */
  readonly role: Role | null;
  readonly term: Term;
  readonly vote: MemberId | null;
  readonly leader: MemberId | null;
  /** Who answered in the election in hand. */
  readonly votes: readonly { readonly voter: MemberId; readonly granted: boolean }[];
  readonly commitIndex: Index;
  readonly appliedIndex: Index;
  readonly lastIndex: Index;
  /** The log begins behind this index; a snapshot stands for what lies before. */
  readonly baseIndex: Index;
  readonly snapshotIndex: Index;
  /** Of a server that is down: what its disk holds. */
  readonly entries: readonly EntryView[];
  /** What its disk holds. */
  readonly durable: { readonly term: Term; readonly vote: MemberId | null; readonly lastIndex: Index };
  readonly batchesUnderWay: number;
  readonly messagesHeld: number;
  readonly timers: readonly TimerView[];
  /** On a leader, every other member. */
  readonly followers: readonly FollowerView[];
  readonly voters: readonly MemberId[];
  readonly outgoing: readonly MemberId[];
  readonly learners: readonly MemberId[];
  readonly machine: Machine;
}

export function viewOf(server: CoreServer): ServerView {
  const { id, status, failure, raft, disk, crashesAtDisk, pending, held, timers, machine } = server;
  const { term, vote } = raft ?? disk.hardState;
  const configurations = raft?.configurations ?? [disk.snapshot.configuration];
  const { voters, outgoing, learners } = configurations[configurations.length - 1] ?? disk.snapshot.configuration;
  const lastOnDisk = disk.base.index + disk.entries.length;
  return {
    id,
    status,
    failure,
    crashesAtDisk,
    role: raft?.role ?? null,
    term,
    vote,
    leader: raft?.leader ?? null,
    votes: (raft?.votes ?? []).map(({ voter, granted }) => ({ voter, granted })),
    commitIndex: raft?.commitIndex ?? disk.snapshot.index,
    appliedIndex: raft?.appliedIndex ?? disk.snapshot.index,
    lastIndex: raft?.log.lastIndex ?? lastOnDisk,
    baseIndex: raft?.log.base.index ?? disk.base.index,
    snapshotIndex: raft?.snapshot.index ?? disk.snapshot.index,
    entries: raft === null ? entriesOnDisk(server) : entriesInMemory(server, raft),
    durable: { term: disk.hardState.term, vote: disk.hardState.vote, lastIndex: lastOnDisk },
    batchesUnderWay: pending.length,
    messagesHeld: held.length,
    timers: timers.map(({ name, min, max, armedAt, due }) => ({ name, min, max, armedAt, due })),
    followers: (raft?.leadership?.progress ?? []).map((each) => ({
      id: each.id,
      state: each.state,
      match: each.match,
      next: each.next,
    })),
    voters,
    outgoing,
    learners,
    machine,
  };
}

function entriesOnDisk({ disk }: CoreServer): EntryView[] {
  return disk.entries.map(({ index, term, kind, data }) => ({
    index,
    term,
    ...contentOf(kind, data),
    durability: disk.faulty.includes(index) ? 'faulty' : 'fsynced',
  }));
}

function entriesInMemory(server: CoreServer, raft: NonNullable<CoreServer['raft']>): EntryView[] {
  const { log, durability } = raft;
  const entries: EntryView[] = [];
  for (let index = log.base.index + 1; index <= log.lastIndex; index++) {
    const entry =
      (index < log.cacheFirst ? undefined : log.cache[log.cacheHead + index - log.cacheFirst]) ??
      entryOn(server.disk, index);
    if (entry === undefined) continue;
    const isFaulty = log.faulty.some((mark) => mark.index === index);
    const isDurable = index <= durability.durableIndex;
    entries.push({
      index,
      term: entry.term,
      ...contentOf(entry.kind, entry.data),
      durability: isFaulty ? 'faulty' : isDurable ? 'fsynced' : index < durability.persistFrom ? 'written' : 'volatile',
    });
  }
  return entries;
}

const utf8 = new TextDecoder();
const kindNames = ['noop', 'command', 'configuration'] as const;

function contentOf(kind: EntryKind, data: Uint8Array): Pick<EntryView, 'kind' | 'text'> {
  return { kind: kindNames[kind], text: kind === EntryKind.command ? utf8.decode(data) : '' };
}
