/** One server of a core world, as plain data that nobody changes: a step makes a new one of the server it touches. */
import {
  type ApplyRange,
  type LoadRequest,
  type MemberId,
  type Micros,
  type Outgoing,
  type PersistBatch,
  type RaftState,
  type Restore,
  type Term,
  type TimerName,
} from '@quorate/raft';
import { type DiskImage, freshDisk, type Machine } from './disk.ts';
import type { Configuration, Index } from '@quorate/raft';

/**
 * - `running`: it takes what comes.
 * - `paused`: its process stands still; what it wrote may become durable meanwhile.
 * - `down`: it is not there. - `broken`: it stopped because its own core broke an invariant, and does not come back.
 */
export type ServerStatus = 'running' | 'paused' | 'down' | 'broken';

export interface CoreServer {
  readonly id: MemberId;
  readonly status: ServerStatus;
  /** Why it is broken, or null. */
  readonly failure: string | null;
  /** Null while it is down. */
  readonly raft: RaftState | null;
  readonly disk: DiskImage;
  /** Batches on their way to the disk, oldest first. */
  readonly pending: readonly PendingBatch[];
  /** The last batch that is durable. Ids begin anew with every start. */
  readonly durableBatch: number;
  /** In the order in which they were armed. */
  readonly timers: readonly ArmedTimer[];
  /** Messages that wait for a batch. */
  readonly held: readonly Outgoing[];
  readonly applies: readonly ApplyRange[];
  /** When the next of them is due. Virtual microseconds; 0 without a clock. */
  readonly applyDue: Micros;
  readonly loads: readonly LoadRequest[];
  readonly restore: Restore | null;
  /** How transfers of snapshots from here ended, oldest first: the core has not been told yet. */
  readonly reports: readonly SnapshotReport[];
  readonly machine: Machine;
  /** The core wants a snapshot, however short the log is. */
  readonly snapshotWanted: boolean;
  readonly crashesAtDisk: boolean;
  /** The newest arming (ArmedTimer): timers of one output were armed at the same moment. */
  readonly armings: number;
  /** What is remembered of this server from outside, across crashes. No core ever sees it. */
  readonly promises: Promises;
}

export interface PendingBatch {
  readonly batch: PersistBatch;
  /** Virtual microseconds; 0 without a clock. */
  readonly due: Micros;
}

export interface ArmedTimer extends TimerOrder {
  readonly name: TimerName;
  readonly generation: number;
  readonly armedAt: Micros;
  /** Virtual microseconds; 0 without a clock. */
  readonly due: Micros;
}

/** What decides which of a server's timers runs out first. Whatever the unit of time. */
export interface TimerOrder {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  /** Counts the moments at which timers were armed that are armed still, from 1. */
  readonly arming: number;
}

export interface SnapshotReport {
  readonly peer: MemberId;
  readonly delivered: boolean;
}

/** What a server has said that it cannot take back. */
export interface Promises {
  /** Votes that left, ascending by term. */
  readonly votes: readonly { readonly term: Term; readonly candidate: MemberId }[];
  /** Reads of its clients that wait for their answer, and what was committed anywhere when they came. */
  readonly reads: readonly { readonly id: number; readonly committed: Index }[];
}

const noPromises: Promises = { votes: [], reads: [] };

/** Nothing is under way at a server. */
export const atRest = {
  raft: null,
  pending: [],
  durableBatch: 0,
  timers: [],
  held: [],
  applies: [],
  applyDue: 0,
  loads: [],
  restore: null,
  reports: [],
  snapshotWanted: false,
  crashesAtDisk: false,
  armings: 0,
} as const satisfies Partial<CoreServer>;

/** A server that has never run. */
export function newServer(id: MemberId, configuration: Configuration): CoreServer {
  const disk = freshDisk(configuration);
  const { machine } = disk.snapshot;
  return { ...atRest, id, status: 'down', failure: null, disk, machine, promises: noPromises };
}

/** What is left of a server whose process is gone: its disk. */
export function stopped(server: CoreServer): CoreServer {
  const { disk, promises } = server;
  return {
    ...server,
    ...atRest,
    status: 'down',
    machine: disk.snapshot.machine,
    promises: promises.reads.length === 0 ? promises : { ...promises, reads: [] },
  };
}

/** The same timers with their armings counted from 1: only which was armed before which means anything. They are in that order. */
export function ranked<Timer extends TimerOrder>(timers: readonly Timer[]): readonly Timer[] {
  let rank = 0;
  let last = 0;
  let isSame = true;
  const counted = timers.map((timer) => {
    if (timer.arming !== last) rank += 1;
    last = timer.arming;
    isSame &&= timer.arming === rank;
    return timer.arming === rank ? timer : { ...timer, arming: rank };
  });
  return isSame ? timers : counted;
}

/**
 * The timer of the same server that has to run out before this one, or null. Of two timers, one that was armed no later and whose
 * longest delay is no longer than the other's shortest is certain to be first; stickiness comes before election where both are due
 * at once (DSLabs' rule).
 */
export function runsOutBefore<Timer extends TimerOrder>(timers: readonly Timer[], timer: Timer): Timer | null {
  for (const other of timers) {
    if (other === timer || other.arming > timer.arming || other.max > timer.min) continue;
    const isTie = other.arming === timer.arming && other.min === timer.min && other.max === timer.max;
    if (!isTie || (other.name === 'stickiness' && timer.name === 'election')) return other;
  }
  return null;
}
