/** Puts a past on a server's disk before it starts, in the notation of the paper's figures: the terms of its entries. */
import { type Entry, EntryKind, type Index, type MemberId, type Term } from '../../src/index.ts';
import { emptyChain } from './chain.ts';
import type { Cluster } from './cluster.ts';
import type { Ghosts } from './invariants/index.ts';
import { LogImage } from './log-image.ts';

export interface Past {
  /** Defaults to the term of the last entry. */
  readonly term?: Term;
  readonly vote?: MemberId | null;
  /** The term of each entry from index 1 on: `[1, 1, 2]`. */
  readonly log: readonly Term[];
  /** A snapshot at this index stands for everything up to it. It counts as committed. */
  readonly snapshot?: Index;
  /** Entries up to here count as committed in the past, by a leader of the last of their terms. */
  readonly committed?: Index;
}

const encoder = new TextEncoder();

/** The entry that `preload` puts at a position: equal positions in two logs are equal entries. */
export function pastEntry(index: Index, term: Term): Entry {
  return { index, term, kind: EntryKind.command, data: encoder.encode(`e${index}.${term}`) };
}

export function preload(cluster: Cluster, ghosts: Ghosts | null, id: MemberId, past: Past): void {
  const image = new LogImage(cluster.configuration);
  past.log.forEach((term, offset) => image.append(pastEntry(offset + 1, term)));
  const lastTerm = past.log.at(-1) ?? 0;
  image.hardState = { term: Math.max(past.term ?? lastTerm, lastTerm), vote: past.vote ?? null };
  ghosts?.adopt(image.entries, (index) => image.chainAt(index));
  if (ghosts !== null) {
    rememberCommitted(ghosts, image, Math.max(past.committed ?? 0, past.snapshot ?? 0));
  }
  if (past.snapshot !== undefined) {
    takeSnapshot(cluster, image, past.snapshot);
  }
  cluster.server(id).disk.format(image);
}

function rememberCommitted(ghosts: Ghosts, image: LogImage, committed: Index): void {
  for (let index = ghosts.committedTo + 1; index <= committed; index++) {
    const term = image.termAt(index) ?? 0;
    ghosts.commit(index, { term, chain: image.chainAt(index) ?? emptyChain, commitTerm: term });
  }
}

function takeSnapshot(cluster: Cluster, image: LogImage, index: Index): void {
  const position = { index, term: image.termAt(index) ?? 0 };
  const decoder = new TextDecoder();
  const commands = image.entries.slice(0, index).map((entry) => decoder.decode(entry.data));
  cluster.registerSnapshot(position, { position, commands }, image.chainAt(index) ?? emptyChain);
  image.compact({ ...position, configuration: cluster.configuration }, index);
}
