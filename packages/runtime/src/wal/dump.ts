/** Prints a log so that a person can read it. Changes nothing; of a running server it shows what was there at that moment. */
import { EntryKind } from '@quorate/raft';
import type { Disk } from '../environment.ts';
import type { StorageError } from '../storage.ts';
import { runSteps } from '../steps.ts';
import { identityText, RecordKind, segmentPath } from './format.ts';
import type { Manifest } from './hard-state-file.ts';
import type { Seal } from './seal.ts';
import type { ScannedBatch } from './segment-scan.ts';
import { type LogVisitor, type WalkedSegment, walkLog } from './walk-log.ts';

export interface WalDumpSummary {
  readonly segments: number;
  readonly batches: number;
  readonly entries: number;
  /** Places where the log cannot be read, a torn end included. */
  readonly problems: number;
}

/** Hands the log over to `line`, a line at a time: segments, batches, records, seals, and whatever is wrong. */
export function dumpWal(
  disk: Disk,
  line: (text: string) => void,
  done: (error: StorageError | null, summary: WalDumpSummary | null) => void,
): void {
  const dump = new Dump(line);
  runSteps(walkLog(disk, dump), (error) => done(error, error === null ? dump.summary : null));
}

class Dump implements LogVisitor {
  readonly summary = { segments: 0, batches: 0, entries: 0, problems: 0 };
  readonly #line: (text: string) => void;

  constructor(line: (text: string) => void) {
    this.#line = line;
  }

  manifest(manifest: Manifest | null, damagedCopies: number): void {
    if (damagedCopies > 0) this.#problem(`hardstate: ${damagedCopies} of 2 copies damaged`);
    if (manifest === null) return;
    const { hardState, sequence, firstSegment, lastSegment } = manifest;
    this.#line(`directory of ${identityText(manifest.identity)}`);
    this.#line(
      `hardstate  term ${hardState.term}  vote ${hardState.vote ?? 'none'}  as of batch ${sequence}  segments ${firstSegment} to ${lastSegment}`,
    );
  }

  begin(segment: number): void {
    this.summary.segments += 1;
    this.#line(`segment ${segment}  ${segmentPath(segment)}`);
  }

  batch(batch: ScannedBatch): void {
    this.summary.batches += 1;
    for (const { segment, from, to } of batch.gaps) {
      const bytes = to - from;
      this.#problem(
        `${at(from)}  ${bytes} bytes of segment ${segment} are damaged, or were written before what follows`,
      );
    }
    for (const { header, payload } of batch.records) {
      if (header.kind === RecordKind.entry) this.summary.entries += 1;
      const line = `${at(header.offset)}  ${describe(header.kind, header)}`;
      if (payload === null) this.#problem(`${line}  its data is damaged`);
      else this.#line(line);
    }
    const { sequence, records, hardState } = batch.seal;
    this.#line(
      `${at(batch.sealOffset)}  seal      batch ${sequence}  records ${records}  term ${hardState.term}  vote ${hardState.vote ?? 'none'}  last index ${batch.lastIndex}${outlined(batch.seal)}  ${batch.gaps.length === 0 ? 'chain ok' : 'behind damage'}`,
    );
  }

  end({ scan, problem, segment }: WalkedSegment): void {
    if (scan === null) return this.#problem(problem ?? `segment ${segment} cannot be read`);
    const { damage } = scan;
    if (damage !== null) {
      const bytes = damage.dirtyEnd - damage.batch;
      this.#problem(
        `${at(damage.offset)}  ${damage.verdict}: ${damage.reason}; ${bytes} bytes from offset ${damage.batch} on`,
      );
      return;
    }
    this.#line(`${at(scan.end)}  end       ${scan.batches} batches, ${scan.size - scan.end} bytes of zeros follow`);
  }

  #problem(text: string): void {
    this.summary.problems += 1;
    this.#line(`! ${text}`);
  }
}

/** The newest terms of the log, as the seal names them. */
function outlined({ outline }: Seal): string {
  if (outline === null) return '';
  const runs = outline.runs.map(({ first, term }) => `${term} from ${first}`).join(', ');
  return `  terms ${outline.complete ? '' : '… '}${runs}`;
}

interface Described {
  readonly index: number;
  readonly term: number;
  readonly entryKind: number;
  readonly length: number;
}

function describe(kind: number, header: Described): string {
  const { index, term, length } = header;
  switch (kind) {
    case RecordKind.entry:
      return `entry     index ${index}  term ${term}  ${entryKindName(header.entryKind)}  length ${length}`;
    case RecordKind.truncate:
      return `truncate  from index ${index}  behind an entry of term ${term}`;
    case RecordKind.repair:
      return `repair    index ${index}  term ${term}  ${entryKindName(header.entryKind)}  length ${length}`;
    case RecordKind.snapshot:
      return `snapshot  index ${index}  term ${term}  the log begins anew behind it`;
    default:
      return `padding   length ${length}`;
  }
}

function entryKindName(kind: number): string {
  return Object.entries(EntryKind).find(([, value]) => value === kind)?.[0] ?? `kind ${kind}`;
}

function at(offset: number): string {
  return String(offset).padStart(12);
}
