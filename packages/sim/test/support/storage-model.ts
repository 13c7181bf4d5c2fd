/** What a storage has promised, as plain data: no disk, no format. */
import type { Entry, HardState, PersistBatch } from '@quorate/raft';
import type { OpenedStorage } from '@quorate/runtime';
import { creation } from './storage-bench.ts';

export interface Position {
  readonly index: number;
  readonly term: number;
}

export interface StorageState {
  readonly hardState: HardState;
  readonly base: Position;
  /** Entry i stands at place i - 1 - base.index. */
  readonly log: readonly Entry[];
  readonly snapshot: Position;
}

export const emptyState: StorageState = {
  hardState: creation.hardState,
  base: { index: 0, term: 0 },
  log: [],
  snapshot: { index: 0, term: 0 },
};

export function lastIndexOf(state: StorageState): number {
  return state.base.index + state.log.length;
}

export function termAt(state: StorageState, index: number): number | null {
  if (index === state.base.index) return state.base.term;
  return state.log[index - 1 - state.base.index]?.term ?? null;
}

/** The state after a batch. */
export function applied(state: StorageState, change: PersistBatch): StorageState {
  const hardState = change.hardState ?? state.hardState;
  if (change.snapshot !== null) {
    const { index, term } = change.snapshot;
    return { hardState, log: change.entries, base: { index, term }, snapshot: { index, term } };
  }
  const kept = change.truncateFrom === 0 ? state.log : state.log.slice(0, change.truncateFrom - 1 - state.base.index);
  return { ...state, hardState, log: [...kept, ...change.entries] };
}

export function withSnapshot(state: StorageState, snapshot: Position | null): StorageState {
  return snapshot === null || snapshot.index <= state.snapshot.index ? state : { ...state, snapshot };
}

/** What opening makes of a snapshot that the log does not reach: the log begins anew behind it. */
export function aligned(state: StorageState): StorageState {
  const { snapshot, hardState } = state;
  if (termAt(state, snapshot.index) === snapshot.term) return state;
  const raised = hardState.term >= snapshot.term ? hardState : { term: snapshot.term, vote: null };
  return { hardState: raised, log: [], base: snapshot, snapshot };
}

/** Why an opened storage, whose log reads as `found` but for damaged entries (null if it cannot be read), is not in this state; null if it is. Segments that were compacted may be gone or not. */
export function difference(opened: OpenedStorage, found: readonly Entry[] | null, state: StorageState): string | null {
  const { recovered } = opened;
  const last = lastIndexOf(state);
  if (recovered.lastIndex !== last) return `the log ends at ${recovered.lastIndex}, not ${last}`;
  const [was, is] = [JSON.stringify(state.hardState), JSON.stringify(recovered.hardState)];
  if (was !== is) return `term and vote are ${is}, not ${was}`;
  const { snapshot, base } = recovered;
  if (snapshot.index !== state.snapshot.index || snapshot.term !== state.snapshot.term)
    return `the snapshot is ${snapshot.index}/${snapshot.term}, not ${state.snapshot.index}/${state.snapshot.term}`;
  if (base.index > snapshot.index) return `the log begins at ${base.index}, behind its snapshot ${snapshot.index}`;
  if (base.index < state.base.index || termAt(state, base.index) !== base.term)
    return `the log begins at ${base.index}/${base.term}`;
  const wanted = state.log.slice(base.index - state.base.index);
  const whole = wanted.filter((entry) => !recovered.faulty.some(({ index }) => index === entry.index));
  if (found !== null && !sameEntries(found, whole)) return 'it holds other entries than were written';
  const marked = recovered.faulty.every(({ index, term, kind }) => {
    const entry = wanted.find((each) => each.index === index);
    return entry !== undefined && entry.term === term && (kind === null || kind === entry.kind);
  });
  if (!marked) return 'it marks entries as damaged that were never written';
  const { tail } = recovered;
  if (!sameEntries(tail, wanted.slice(wanted.length - tail.length))) return 'its tail is not what was written';
  const termOf = (at: number): number | undefined => recovered.termRuns.filter((run) => run.first <= at).at(-1)?.term;
  return wanted.every((each) => termOf(each.index) === each.term) ? null : 'its terms are not those that were written';
}

/** The same entries, byte for byte. */
export function sameEntries(a: readonly Entry[], b: readonly Entry[]): boolean {
  return a.length === b.length && a.every((left, at) => sameEntry(left, b[at]));
}

export function sameEntry(a: Entry, b: Entry | undefined): boolean {
  if (b === undefined || a.index !== b.index || a.term !== b.term || a.kind !== b.kind) return false;
  return sameBytes(a.data, b.data);
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && Buffer.compare(a, b) === 0;
}

/** The slices of the snapshot at a position: as a deterministic state machine cuts them, the same on every server. */
export function slicesAt(at: Position): Uint8Array[] {
  const slices = 1 + (at.index % 3);
  return Array.from({ length: slices }, (_, number) =>
    new Uint8Array(1 + ((at.index * 733 + number * 977) % 6000)).fill((at.index * 7 + at.term * 3 + number) & 0xff),
  );
}
