/** What a core world is like: its servers, what may happen in it and how often, and what time is there. */
import {
  defaultOptions,
  type Incarnation,
  type MemberId,
  type MessageKind,
  type Micros,
  Raft,
  type RaftDefaults,
} from '@quorate/raft';

/**
 * How often something may happen in one run; null: as often as one likes. `terms` is the highest term that an election may begin.
 *
 * - `elections`: election timers that run out; `stickiness`: stickiness timers that do; `heartbeats`: heartbeat and commit notice timers.
 * - `requests`, `reads`, `changes`, `transfers`: what clients ask for.
 * - `snapshots`: snapshots that servers take of their own machines.
 * - `crashes`, `pauses`, `damage`, `cuts`, `drops`, `duplicates`: what goes wrong.
 */
export const budgetNames = [
  'terms',
  'elections',
  'stickiness',
  'heartbeats',
  'requests',
  'reads',
  'changes',
  'transfers',
  'snapshots',
  'crashes',
  'pauses',
  'damage',
  'cuts',
  'drops',
  'duplicates',
] as const;
export type BudgetName = (typeof budgetNames)[number];
export type Budgets = Readonly<Record<BudgetName, number | null>>;

/** Whatever one likes, as often as one likes: for people who choose every action themselves. */
export const unboundedBudgets: Budgets = {
  terms: null,
  elections: null,
  stickiness: null,
  heartbeats: null,
  requests: null,
  reads: null,
  changes: null,
  transfers: null,
  snapshots: null,
  crashes: null,
  pauses: null,
  damage: null,
  cuts: null,
  drops: null,
  duplicates: null,
};

/** Two elections and one request, and nothing goes wrong but that messages come late, in any order, or never. */
export const smallBudgets: Budgets = {
  terms: 2,
  elections: 2,
  stickiness: 2,
  heartbeats: 0,
  requests: 1,
  reads: 0,
  changes: 0,
  transfers: 0,
  snapshots: 0,
  crashes: 0,
  pauses: 0,
  damage: 0,
  cuts: 0,
  drops: 0,
  duplicates: 0,
};

/** From the shortest to the longest. Microseconds. */
export interface Span {
  readonly min: Micros;
  readonly max: Micros;
}

export interface CoreWorldOptions {
  /** The voters of the first configuration: n1, n2, … From 1 to 9. */
  readonly servers: number;
  /** Learners of the first configuration, named on from the voters. Default: 0. */
  readonly learners?: number;
  /** Servers that run, belong to no configuration and wait to be let in, named on from the learners. Default: 0. */
  readonly spares?: number;
  /** Default: those of `@quorate/raft`; with a clock, but that followers are told at once what is committed. */
  readonly raft?: Partial<RaftDefaults>;
  /**
   * - `order`: there is no clock. A timer may run out unless another of the same server has to run out before it.
   * - `clock`: virtual microseconds; every message, timer and write has a time at which it is due.
   */
  readonly timing: 'order' | 'clock';
  /** What chance draws from. A whole number from 0 to 2^32 - 1; without meaning in `order`. Default: 0. */
  readonly seed?: number;
  /** Those that are not named are as in `unboundedBudgets` with a clock, and as in `smallBudgets` without. */
  readonly budgets?: Partial<Budgets>;
  /**
   * When a batch is durable, and when what is committed is applied: as a step of its own, or at once with the step that asked for it.
   * Default: steps for the disk; for applying, steps with a clock and at once without.
   */
  readonly disk?: 'steps' | 'atOnce';
  readonly apply?: 'steps' | 'atOnce';
  /** Which servers clients turn to. Default: any with a clock, those that lead without. */
  readonly clients?: 'any' | 'leaders';
  /** Whether the first incarnation of each member stands in the first configuration, so that no leader has to bind it. Default: true. */
  readonly isBound?: boolean;
  /** How long messages, writes and applying take. Of no meaning in `order`. */
  readonly delays?: Partial<Delays>;
  /** Changes of membership that clients may ask for. Default: each server that is no member is let in as a voter, each voter removed. */
  readonly changes?: readonly ChangeOffer[];
  /**
   * Whether states that differ only in which server is called what count as one. Off where someone asks for a server by its name, and always
   * with PreVote: of two servers that ask each other, the one with the higher ID gives way. Default: on without a clock, for up to five servers.
   */
  readonly symmetry?: boolean;
  /** The core whose servers these are: another than the real one is a copy with a mistake in it. Default: `Raft` of `@quorate/raft`. */
  readonly core?: typeof Raft;
  /**
   * Invariants of the judges (judges.ts) that are not spoken of, by their ids: where a core breaks one, what comes of it can be looked
   * for. Default: none.
   */
  readonly unjudged?: readonly string[];
  /** Kinds of messages that never arrive: what they would have led to is not looked at. Default: none. */
  readonly lost?: readonly MessageKind[];
  /** Whether a crash may keep some of the batches that were on their way. Default: true. */
  readonly tornCrashes?: boolean;
}

export interface Delays {
  readonly message: Span;
  readonly write: Span;
  readonly apply: Span;
}

/** One change that clients may ask for. */
export type ChangeOffer =
  | { readonly op: 'add'; readonly member: MemberId; readonly voter: boolean }
  | { readonly op: 'remove' | 'promote' | 'demote'; readonly member: MemberId };

export const maxServers = 9;

/** Delays as between machines of one data centre, a little slow so that an eye can follow. */
const defaultDelays: Delays = {
  message: { min: 5_000, max: 15_000 },
  write: { min: 2_000, max: 6_000 },
  apply: { min: 500, max: 1_000 },
};

/** The options with nothing left open. */
export interface Setting {
  readonly voters: readonly MemberId[];
  readonly learners: readonly MemberId[];
  readonly spares: readonly MemberId[];
  /** All of them, in order. */
  readonly ids: readonly MemberId[];
  readonly raft: RaftDefaults;
  readonly timing: 'order' | 'clock';
  readonly seed: number;
  readonly budgets: Budgets;
  readonly disk: 'steps' | 'atOnce';
  readonly apply: 'steps' | 'atOnce';
  readonly clients: 'any' | 'leaders';
  readonly isBound: boolean;
  readonly delays: Delays;
  readonly changes: readonly ChangeOffer[];
  readonly tornCrashes: boolean;
  readonly core: typeof Raft;
  readonly unjudged: readonly string[];
  readonly lost: readonly MessageKind[];
  readonly symmetry: boolean;
}

/** Throws RangeError for what cannot be. */
export function settingOf(options: CoreWorldOptions): Setting {
  const { servers, learners = 0, spares = 0, timing, seed = 0 } = options;
  const total = servers + learners + spares;
  const isSound = [servers, learners, spares].every((count) => Number.isInteger(count) && count >= 0);
  if (!isSound || servers < 1 || total > maxServers) {
    throw new RangeError(
      `A core world has at least one voter and at most ${maxServers} servers, not ${servers} voters, ${learners} learners and ${spares} spares.`,
    );
  }
  if (!Number.isInteger(seed) || seed < 0 || seed > 0xffff_ffff)
    throw new RangeError(`A seed is a whole number from 0 to 4294967295, not ${seed}.`);
  const ids = Array.from({ length: total }, (_, at) => `n${at + 1}`);
  const isClock = timing === 'clock';
  const voters = ids.slice(0, servers);
  const raft = raftOf(options);
  return {
    voters,
    learners: ids.slice(servers, servers + learners),
    spares: ids.slice(servers + learners),
    ids,
    raft,
    timing,
    seed,
    budgets: { ...(isClock ? unboundedBudgets : smallBudgets), ...checked(options.budgets ?? {}) },
    disk: options.disk ?? 'steps',
    apply: options.apply ?? (isClock ? 'steps' : 'atOnce'),
    clients: options.clients ?? (isClock ? 'any' : 'leaders'),
    isBound: options.isBound ?? true,
    delays: { ...defaultDelays, ...options.delays },
    changes: options.changes ?? defaultChanges(ids, voters),
    tornCrashes: options.tornCrashes ?? true,
    core: options.core ?? Raft,
    unjudged: options.unjudged ?? [],
    lost: checkedKinds(options.lost ?? []),
    symmetry: (options.symmetry ?? !isClock) && !raft.stableLeadership,
  };
}

/**
 * With a clock followers are told at once what is committed: it is easier to follow. Without one there is no use for timeouts that
 * lengthen, since only their order matters.
 */
function raftOf({ raft, timing }: CoreWorldOptions): RaftDefaults {
  const own = timing === 'order' ? { maxElectionBackoff: 1 } : { commitNoticeDelay: 0 };
  return { ...defaultOptions, ...own, ...raft };
}

/** The same setting with other budgets. Throws RangeError for those that cannot be. */
export function withBudgets(setting: Setting, budgets: Partial<Budgets>): Setting {
  return { ...setting, budgets: { ...setting.budgets, ...checked(budgets) } };
}

function checked(budgets: Partial<Budgets>): Partial<Budgets> {
  for (const [name, limit] of Object.entries(budgets)) {
    if (!budgetNames.some((known) => known === name))
      throw new RangeError(`There is no budget '${name}'. There are: ${budgetNames.join(', ')}.`);
    if (limit !== null && !(Number.isInteger(limit) && limit >= 0 && limit <= maxBudget))
      throw new RangeError(`The budget '${name}' is a whole number from 0 to ${maxBudget} or null, not ${limit}.`);
  }
  return budgets;
}

function checkedKinds(kinds: readonly MessageKind[]): readonly MessageKind[] {
  for (const kind of kinds) {
    if (messageKinds.includes(kind)) continue;
    throw new RangeError(`There is no kind of message '${kind}'. There are: ${messageKinds.join(', ')}.`);
  }
  return kinds;
}

/** Every kind; the compiler misses none. */
const isKind: Readonly<Record<MessageKind, true>> = {
  preVote: true,
  preVoteReply: true,
  requestVote: true,
  requestVoteReply: true,
  appendEntries: true,
  appendEntriesReply: true,
  heartbeat: true,
  heartbeatReply: true,
  installSnapshot: true,
  installSnapshotReply: true,
  readIndex: true,
  readIndexReply: true,
  propose: true,
  proposeReply: true,
  changeMembers: true,
  changeMembersReply: true,
  timeoutNow: true,
  fetchEntries: true,
  fetchEntriesReply: true,
};
const messageKinds = Object.keys(isKind) as readonly MessageKind[];

/** Far beyond what any search exhausts. */
const maxBudget = 1_000_000;

function defaultChanges(ids: readonly MemberId[], voters: readonly MemberId[]): readonly ChangeOffer[] {
  const added = ids
    .filter((id) => !voters.includes(id))
    .map((member): ChangeOffer => ({ op: 'add', member, voter: true }));
  return [...added, ...voters.map((member): ChangeOffer => ({ op: 'remove', member }))];
}

/** The life of a server's data directory; a core world's servers never lose theirs. */
export function incarnationOf(id: MemberId): Incarnation {
  return `${id}-1`;
}
