/**
 * What a log holds behind a stretch in which something is lost. The seal at its end names the terms of the newest entries, and index and
 * term say which entry it is (Log Matching, §5.3). So what came before the stretch and agrees with the seal in one entry agrees with it in
 * all before that; and every record that is left counts if the seal's log holds its entry, in whatever order things were written, cut and
 * written anew. What has no record is lost, and known by index and term.
 */
import type { Index, LogPosition, Term } from '@quorate/raft';
import { RecordKind } from './format.ts';
import type { LogIndex } from './log-index.ts';
import type { LogOutline } from './seal.ts';
import type { ScannedBatch, ScannedRecord } from './segment-scan.ts';

export interface Reconciled {
  /** The log as it was before is kept up to here. */
  readonly keepThrough: Index;
  /** Nothing is kept: the log begins behind this position. Otherwise null. */
  readonly base: LogPosition | null;
  /** The first entry that comes anew. */
  readonly first: Index;
  /** The term of an entry from `first` on. */
  termAt(index: Index): Term;
  /** What is left of the entries from `first` on. */
  readonly records: ReadonlyMap<Index, ScannedRecord>;
}

/** Null if it cannot be told. `log` is what came before the stretch; null if nothing is known of that. */
export function reconcile(batch: ScannedBatch, log: LogIndex | null): Reconciled | null {
  const { outline } = batch.seal;
  const [oldest] = outline?.runs ?? [];
  if (outline === null || oldest === undefined) return null;
  const terms = new OutlineTerms(outline);
  const common = log === null ? null : lastCommon(log, terms, oldest.first, batch.lastIndex);
  // Without one entry in common the whole log is another: that has to be said from its beginning on.
  if (common === null && log !== null && !outline.complete) return null;
  const base = common === null ? { index: oldest.first, term: oldest.term } : null;
  const keepThrough = common ?? oldest.first;
  const first = keepThrough + 1;
  return { keepThrough, base, first, termAt: (index) => terms.at(index), records: recordsOf(batch, first, terms) };
}

/** The last entry, or the base, that both have. */
function lastCommon(log: LogIndex, terms: OutlineTerms, oldest: Index, lastIndex: Index): Index | null {
  const from = Math.max(oldest, log.base.index);
  for (let index = Math.min(log.lastIndex, lastIndex); index >= from; index--) {
    if (log.termAt(index) === terms.at(index)) return index;
  }
  return null;
}

function recordsOf(batch: ScannedBatch, first: Index, terms: OutlineTerms): Map<Index, ScannedRecord> {
  const found = new Map<Index, ScannedRecord>();
  for (const record of batch.records) {
    const { kind, index, term } = record.header;
    if (kind !== RecordKind.entry || index < first || index > batch.lastIndex || terms.at(index) !== term) continue;
    found.set(index, record);
  }
  return found;
}

class OutlineTerms {
  readonly #runs: LogOutline['runs'];

  constructor({ runs }: LogOutline) {
    this.#runs = runs;
  }

  /** The term at `index`, which is not before the first run. */
  at(index: Index): Term {
    let run = this.#runs.length - 1;
    while (run > 0 && this.#runs[run]!.first > index) run -= 1;
    return this.#runs[run]!.term;
  }
}
