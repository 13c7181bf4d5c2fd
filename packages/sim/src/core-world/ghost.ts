/**
 * What really happened in a core world, remembered from outside: who led which term, and what is committed. It is part of the state, so
 * that states which differ in it are not taken for one, and as small as the judges allow.
 */
import type { Entry, MemberId, Term } from '@quorate/raft';

export interface Ghost {
  /** Who was elected, ascending by term. */
  readonly leaders: readonly { readonly term: Term; readonly leader: MemberId }[];
  /** Every entry that some leader has committed, from index 1 on. */
  readonly committed: readonly Committed[];
}

export interface Committed {
  readonly entry: Entry;
  /** The term in which it was first known to be committed. */
  readonly commitTerm: Term;
}

export const emptyGhost: Ghost = { leaders: [], committed: [] };

export function isSameEntry(a: Entry, b: Entry): boolean {
  if (a === b) return true;
  if (a.index !== b.index || a.term !== b.term || a.kind !== b.kind || a.data.length !== b.data.length) return false;
  return a.data.every((byte, at) => byte === b.data[at]);
}
