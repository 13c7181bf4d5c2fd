/** One server of a cluster that is searched, as plain data that nobody changes: a step makes a new one of the server it touches. */
import type { TimerOrder } from '@quorate/sim';
import type { PlainData } from '../interface.ts';

/** `down`: it crashed and may start again at any time. `off`: the scenario stopped it, and starts it again or not. */
export type ServerStatus = 'up' | 'down' | 'off';

export interface SearchedServer {
  /** From 0 on. */
  readonly id: number;
  readonly status: ServerStatus;
  /** What `getState` said last; of a server that is not up, before it went down. */
  readonly term: number;
  readonly isLeader: boolean;
  /** The last index that the service on it has applied, or has from a snapshot. */
  readonly applied: number;
}

export interface HandledServer extends SearchedServer {
  /** The handlers' state; null while it is not up. */
  readonly state: unknown;
  /** In the order in which they were armed. Milliseconds. */
  readonly timers: readonly TimerOrder[];
  readonly saved: PlainData;
  readonly snapshot: Uint8Array | null;
  /** The last index that the service has handed over a snapshot of, or got one of. */
  readonly snapshotIndex: number;
}

export function newServer(id: number): HandledServer {
  return {
    id,
    status: 'off',
    term: 0,
    isLeader: false,
    applied: 0,
    state: null,
    timers: [],
    saved: null,
    snapshot: null,
    snapshotIndex: 0,
  };
}
