/** The door of the core: inputs in, outputs out. */
import { advanceCommit, onApplied, takeApplyRange } from './commit.ts';
import { onQuietTimeout } from './adaptation.ts';
import { onElectionTimeout, onOwnVoteDurable } from './election.ts';
import { faultyAt, hidesConfiguration } from './faulty.ts';
import { failForwarded, flushReads } from './forward.ts';
import { onCommitNoticeTimeout, onHeartbeatTimeout } from './heartbeat.ts';
import { onPeerGone } from './gone.ts';
import type { Input, TimeoutInput } from './input.ts';
import { invariant } from './invariant.ts';
import { protectUnknown } from './lease.ts';
import { onLent, onNotLent } from './lend.ts';
import { cached, termAt, trimCache } from './log.ts';
import { configurationAt, currentConfiguration, openConfigurations } from './membership.ts';
import type { RaftOptions } from './options.ts';
import { empty, emptyOutbox } from './outbox.ts';
import type { Output } from './output.ts';
import { markDurable, takeBatch } from './persistence.ts';
import { onPropose } from './propose.ts';
import { onQuorumCheckTimeout } from './quorum-check.ts';
import { flushRound, onRead } from './reads.ts';
import { receive } from './receive.ts';
import { driveChange, driveLeaving, onChange } from './reconfigure.ts';
import type { RecoveredState } from './recovered.ts';
import { onFaulty, onRepairsDurable, onRepairTimeout, startRepair } from './repair.ts';
import { flushAppends, onFollowerUnreachable, onLoaded, onLoadFailed } from './replication.ts';
import { needsSnapshot, onCompactedInput, onSnapshotSent } from './snapshot.ts';
import { type Core, initialState, type Leadership, type Progress, type RaftState } from './state.ts';
import { type RaftStatus, statusOf } from './status.ts';
import { armElection } from './timers.ts';
import { driveTransfer, onTransfer, onTransferTimeout } from './transfer.ts';
import {
  type Configuration,
  type Entry,
  type HardState,
  type Index,
  maxVersion,
  type Member,
  type MemberId,
  type Role,
  type Term,
  type Version,
} from './types.ts';
import { versionInUse } from './versions.ts';

/**
 * One server's Raft, as a pure state machine: a function of its state and the input handed to it.
 *
 * Step any number of inputs, then take the output and carry it out (output.ts has the order). What a fresh server wants, its
 * election timer first of all, waits in the first output.
 */
export class Raft {
  readonly #core: Core;

  /** Throws InvariantViolation when `recovered` contradicts itself, RangeError when the options do. */
  constructor(options: RaftOptions, recovered: RecoveredState | Resumed) {
    checkOptions(options);
    const isResumed = 'resumed' in recovered;
    const state = isResumed ? recovered.resumed : initialState(recovered);
    this.#core = { options, state, out: emptyOutbox() };
    if (isResumed) return;
    armElection(this.#core);
    protectUnknown(this.#core);
    startRepair(this.#core);
  }

  /**
   * Goes on from a state as another core's `state` showed it right after `takeOutput`: recordings and branches begin so. The core
   * takes the state over; hand it a copy. It asks for nothing by itself: its timers are armed, its batches and loads on their way.
   */
  static fromState(options: RaftOptions, state: RaftState): Raft {
    return new Raft(options, { resumed: state });
  }

  /** Handles one input. Throws InvariantViolation when one of the core's own invariants is broken: the server must stop then. */
  step(input: Input): void {
    const core = this.#core;
    core.state.now = input.now;
    handle(core, input);
    if (core.state.leadership !== null) driveTransfer(core, core.state.leadership);
  }

  /** What is to be done because of all inputs since the last call. Empty fields are null or empty arrays. */
  takeOutput(): Output {
    const core = this.#core;
    const { state, out, options } = core;
    if (state.leadership !== null) {
      flushRound(core, state.leadership);
      flushAppends(core, state.leadership);
    } else {
      flushReads(core);
    }
    const persist = takeBatch(core);
    invariant(
      out.send.every(({ after }) => after < state.durability.nextBatch),
      'a message waits for a batch that was handed out',
    );
    const apply = takeApplyRange(core);
    const { send, arm, restore, load, takeSnapshot, proposals, reads, changes, transfers, events } = empty(out);
    const needed = Math.min(state.appliedIndex, state.durability.durableIndex);
    trimCache(state.log, options.maxLogCacheBytes, needed);
    return { persist, send, arm, restore, apply, load, takeSnapshot, proposals, reads, changes, transfers, events };
  }

  /**
   * Entries from `from` on that memory holds, contiguous, to at most `to` and `maxBytes` (at least one if `from` itself is
   * held). Empty if it is not: ask storage.
   */
  entries(from: Index, to: Index, maxBytes: number): readonly Entry[] {
    return cached(this.#core.state.log, from, to, maxBytes);
  }

  /** The term of the entry at `index`, or null if it is compacted away or beyond the log. */
  termAt(index: Index): Term | null {
    return termAt(this.#core.state.log, index);
  }

  /** Whether the entry's record is damaged on disk: it cannot be read before that is repaired. */
  isFaulty(index: Index): boolean {
    return faultyAt(this.#core.state.log, index) !== undefined;
  }

  /** Whether a snapshot at `index` would change anything here: where not, its bytes need not travel. */
  needsSnapshot(index: Index): boolean {
    return needsSnapshot(this.#core.state, index);
  }

  /**
   * Whether `configurationAt(index)` is certain: no faulty entry up to there may define another, and it is not that of a server which
   * waits to be let in and has not learned into what.
   */
  knowsConfigurationAt(index: Index): boolean {
    return !hidesConfiguration(this.#core.state, index) && this.configurationAt(index).members.length > 0;
  }

  get role(): Role {
    return this.#core.state.role;
  }
  get term(): Term {
    return this.#core.state.term;
  }
  get leader(): MemberId | null {
    return this.#core.state.leader;
  }
  get commitIndex(): Index {
    return this.#core.state.commitIndex;
  }
  get lastIndex(): Index {
    return this.#core.state.log.lastIndex;
  }
  /** Entries up to here, as they stand in memory now, are durable: storage has these, and may have others behind them. */
  get durableIndex(): Index {
    return this.#core.state.durability.durableIndex;
  }
  get hardState(): HardState {
    return { term: this.#core.state.term, vote: this.#core.state.vote };
  }
  /** The version of the protocol in use, as far as is committed (versions.ts). */
  get versionInUse(): Version {
    return versionInUse(this.#core.state);
  }
  /** The configuration in force: the newest in the log, committed or not. */
  get configuration(): Configuration {
    return currentConfiguration(this.#core.state);
  }
  /**
   * Whom this server may have to talk to: the members in force, and those of the configurations before it that are not certain to be
   * over. The leader that a change removes is among them until that is committed.
   */
  get contacts(): readonly Member[] {
    const contacts = new Map<MemberId, Member>();
    for (const { members } of openConfigurations(this.#core.state)) {
      for (const member of members) contacts.set(member.id, member);
    }
    return [...contacts.values()];
  }
  /** The configuration in force at `index` (for a snapshot there): the newest defined at or before it. */
  configurationAt(index: Index): Configuration {
    return configurationAt(this.#core.state, index);
  }

  status(): RaftStatus {
    return statusOf(this.#core);
  }

  /** The state itself, for checkers, debuggers and tests: plain data, not to be changed. */
  get state(): Readonly<RaftState> {
    return this.#core.state;
  }
}

/** A state to go on from, instead of one that storage recovered. */
interface Resumed {
  readonly resumed: RaftState;
}

function handle(core: Core, input: Input): void {
  switch (input.kind) {
    case 'timeout':
      return onTimeout(core, input);
    case 'message':
      return receive(core, input.message);
    case 'propose':
      return onPropose(core, input.id, input.commands);
    case 'read':
      return onRead(core, input.id);
    case 'change':
      return onChange(core, input);
    case 'transfer':
      return onTransfer(core, input.id, input.target);
    case 'persisted':
      return onPersisted(core, input.id);
    case 'applied':
      onApplied(core, input.index);
      driveChange(core);
      return driveLeaving(core);
    case 'loaded':
      if (!onLent(core, input.id, input.entries)) onLoaded(core, input.id, input.entries);
      return;
    case 'loadFailed':
      if (!onNotLent(core, input.id)) onLoadFailed(core, input.id, input.reason);
      return;
    case 'faulty':
      return onFaulty(core, input.index);
    case 'compacted':
      return onCompactedInput(core, input.snapshot, input.through);
    case 'snapshotSent':
      return withProgress(core, input.peer, (leadership, progress) =>
        onSnapshotSent(leadership, progress, input.delivered),
      );
    case 'unreachable':
      if (core.state.leader === input.peer) failForwarded(core);
      return withProgress(core, input.peer, onFollowerUnreachable);
    case 'peerGone':
      return onPeerGone(core, input.peer);
  }
}

function onTimeout(core: Core, { name, generation }: TimeoutInput): void {
  if (generation !== core.state.timers[name]) return;
  switch (name) {
    case 'election':
      return onElectionTimeout(core);
    case 'heartbeat':
      onHeartbeatTimeout(core);
      return driveChange(core);
    case 'quorumCheck':
      return onQuorumCheckTimeout(core);
    case 'stickiness':
      core.state.sticky = false;
      return;
    case 'commitNotice':
      return onCommitNoticeTimeout(core);
    case 'repair':
      return onRepairTimeout(core);
    case 'quiet':
      return onQuietTimeout(core);
    case 'transfer':
      return onTransferTimeout(core);
  }
}

/** Batches up to `id` are on disk: what waited for them may count now. */
function onPersisted(core: Core, id: number): void {
  if (!markDurable(core, id)) return;
  onRepairsDurable(core);
  onOwnVoteDurable(core);
  advanceCommit(core);
}

function withProgress(core: Core, peer: MemberId, act: (leadership: Leadership, progress: Progress) => void): void {
  const { leadership } = core.state;
  const progress = leadership?.progress.find((it) => it.id === peer);
  if (leadership !== null && progress !== undefined) act(leadership, progress);
}

function checkOptions(options: RaftOptions): void {
  const { electionTimeoutMin, electionTimeoutMax, heartbeatInterval, stableLeadership, leaseReads, maxClockDrift } =
    options;
  if (!(heartbeatInterval > 0 && heartbeatInterval < electionTimeoutMin)) {
    throw new RangeError('heartbeatInterval must be above 0 and below electionTimeoutMin');
  }
  if (!(electionTimeoutMin <= electionTimeoutMax)) {
    throw new RangeError('electionTimeoutMin must not exceed electionTimeoutMax');
  }
  if (leaseReads && !stableLeadership)
    throw new RangeError('leaseReads needs stableLeadership: who protects no leader grants no lease');
  const { min, max } = options.release;
  if (!(min >= 1 && min <= max && max <= maxVersion)) {
    throw new RangeError(`release must speak versions from 1 to ${maxVersion}, not ${min} to ${max}`);
  }
  if (!(maxClockDrift >= 0 && maxClockDrift < 1_000_000)) {
    throw new RangeError('maxClockDrift must be from 0 to below 1,000,000 parts in a million');
  }
  checkElectionOptions(options);
}

function checkElectionOptions({ maxElectionBackoff, goneSpreadMin, goneSpreadMax, priority }: RaftOptions): void {
  if (!(maxElectionBackoff >= 1 && maxElectionBackoff <= 1000)) {
    throw new RangeError('maxElectionBackoff must be from 1 to 1,000');
  }
  if (!(goneSpreadMin > 0 && goneSpreadMin <= goneSpreadMax)) {
    throw new RangeError('goneSpreadMin must be above 0 and not exceed goneSpreadMax');
  }
  if (!(Number.isInteger(priority) && priority >= 0))
    throw new RangeError('priority must be a whole number, 0 or more');
}
