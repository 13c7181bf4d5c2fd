/** A recorded core in the form in which worlds show their servers: its disk is what it says is durable. */
import { type Entry, EntryKind, type RaftOptions, type RaftState } from '@quorate/raft';
import { atRest, type CoreServer, type Machine } from '@quorate/sim';
import type { TimerView } from './views.ts';

export interface RecordedServer {
  readonly options: RaftOptions;
  readonly state: RaftState;
  readonly isUp: boolean;
  readonly isPaused: boolean;
  /** Why it stopped by itself; null if it did not. */
  readonly failure: string | null;
  readonly timers: readonly TimerView[];
}

/** Entries of which the term is all that is known are shown up to so many before those that are in memory. */
const mostOutlined = 1_000;
const notInMemory = new TextEncoder().encode('(on its disk, not in memory)');

/** With entries that only the core's runs of terms tell of: for whoever shows the log. Without them it costs next to nothing. */
export function withOutline(server: CoreServer, { state: { log, durability } }: RecordedServer): CoreServer {
  const last = Math.min(log.cacheFirst - 1, durability.durableIndex);
  const first = Math.max(log.base.index + 1, last + 1 - mostOutlined);
  const outlined: Entry[] = [];
  for (const [at, { first: from, term }] of log.runs.entries()) {
    const to = Math.min(last, (log.runs[at + 1]?.first ?? log.lastIndex + 1) - 1);
    for (let index = Math.max(first, from); index <= to; index++) {
      outlined.push({ index, term, kind: EntryKind.command, data: notInMemory });
    }
  }
  const { disk } = server;
  return { ...server, disk: { ...disk, base: { index: first - 1, term: 0 }, entries: [...outlined, ...disk.entries] } };
}

export function asCoreServer(id: string, { state, isUp, isPaused, failure }: RecordedServer): CoreServer {
  const { log, durability, snapshot } = state;
  const held = log.cache.slice(log.cacheHead).filter(({ index }) => index <= durability.durableIndex);
  const machine: Machine = { index: state.appliedIndex, term: 0, commands: 0, digest: 0 };
  return {
    ...atRest,
    id,
    status: isUp ? (isPaused ? 'paused' : 'running') : failure === null ? 'down' : 'broken',
    failure,
    raft: isUp ? state : null,
    disk: {
      hardState: { term: state.term, vote: state.vote },
      snapshot: { ...snapshot, machine },
      // What lies before those that are in memory is on the disk as well: it ends where it is durable.
      base: held[0] === undefined ? { index: durability.durableIndex, term: 0 } : { index: held[0].index - 1, term: 0 },
      entries: held,
      faulty: log.faulty.map(({ index }) => index),
    },
    durableBatch: durability.durableBatch,
    machine,
    promises: { votes: [], reads: [] },
  };
}
