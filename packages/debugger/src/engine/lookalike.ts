/** A recorded core in the form in which worlds show their servers: its disk is what it says is durable. */
import type { RaftOptions, RaftState } from '@quorate/raft';
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

export function asCoreServer(id: string, { state, isUp, isPaused, failure }: RecordedServer): CoreServer {
  const { log, durability, snapshot } = state;
  const held = log.cache.slice(log.cacheHead);
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
      base: log.base,
      entries: held.filter(({ index }) => index <= durability.durableIndex),
      faulty: log.faulty.map(({ index }) => index),
    },
    durableBatch: durability.durableBatch,
    machine,
    promises: { votes: [], reads: [] },
  };
}
