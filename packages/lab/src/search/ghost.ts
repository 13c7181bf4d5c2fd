/** What nobody in a cluster knows for certain, and is remembered of it from outside: who led, what was applied, what was promised. */
import type { PlainData } from '../interface.ts';

export interface LabGhost {
  /** Who said that it leads each term, in the order in which that was seen. */
  readonly leaders: readonly { readonly term: number; readonly server: number }[];
  /** What was applied anywhere, by index from 1: it is committed, and stays there for ever. */
  readonly applied: readonly PlainData[];
  /** What clients were told when they wanted a command in the log. */
  readonly promises: readonly Promised[];
}

export interface Promised {
  readonly command: string;
  readonly server: number;
  readonly index: number;
  readonly term: number;
}

export const newGhost: LabGhost = { leaders: [], applied: [], promises: [] };

/** The service's state up to an index, as its snapshots hold it. */
export function snapshotBytes(applied: readonly PlainData[], index: number): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ index, commands: applied.slice(0, index) }));
}
