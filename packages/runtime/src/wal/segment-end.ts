/**
 * What the end of a segment means. The rules are those of storage faults in consensus logs (Alagappan et al., "Protocol-Aware Recovery",
 * FAST'18, §3.3.3): a batch without its seal was never promised, anything else that is damaged may have been.
 */
import { isZero, viewOf } from '../bytes.ts';
import type { Steps } from '../steps.ts';
import {
  MAX_BATCH_BYTES,
  RECORD_HEADER_BYTES,
  type RecordHeader,
  RecordKind,
  readRecordHeader,
  recordBytes,
  SECTOR_BYTES,
} from './format.ts';
import type { SegmentWindow } from './segment-window.ts';
import { survey } from './survey.ts';

/** Something behind the last intact seal that is not zeros. */
export interface Damage {
  /** The first byte that is not what was written. */
  readonly offset: number;
  /** Where the damaged batch begins. */
  readonly batch: number;
  /**
   * `torn`: a last batch that a crash cut off before its seal; nothing of it was promised. `sealed`: a last batch whose seal cannot
   * be read; it may have been promised. `corrupt`: something that was promised, or was never written by us.
   */
  readonly verdict: 'torn' | 'sealed' | 'corrupt';
  /** What was seen, for people. */
  readonly reason: string;
  /** Behind the last byte that is not zero. */
  readonly dirtyEnd: number;
}

/**
 * Tells the end of a log from a torn batch and both from corruption. `end` lies behind the last seal that can be read; `doubt` is the
 * first byte behind it that is not part of an intact record. Null: nothing was written there.
 */
export function* judge(window: SegmentWindow, end: number, doubt: number): Steps<Damage | null> {
  const { segment, size, seed } = window;
  let later: RecordHeader | null = null;
  let sealStands = false;
  const dirtyEnd = yield* survey(window.disk, { segment, from: doubt, size, seed }, (header) => {
    if (header.batch > end) later ??= header;
    if (header.batch === end && header.kind === RecordKind.seal) sealStands = true;
  });
  if (dirtyEnd <= doubt && doubt === end) return null;
  const damage = { offset: doubt, batch: end, dirtyEnd };
  const proof = later as RecordHeader | null;
  if (proof !== null) {
    const reason = `the batch at offset ${proof.batch} behind it proves that it was durable`;
    return { ...damage, verdict: 'corrupt', reason };
  }
  if (sealStands) {
    const reason = 'its batch is the last and bears a seal that cannot be read, so it may have been promised';
    return { ...damage, verdict: 'sealed', reason };
  }
  if (!(yield* explainedByLostSector(window, doubt))) {
    return { ...damage, verdict: 'corrupt', reason: 'no write that a crash cut off leaves such bytes' };
  }
  return { ...damage, verdict: 'torn', reason: 'its batch has no seal' };
}

/**
 * Whether the record at `at` is broken in the way a crash breaks it: a whole sector of it was never written, so it is still zero or
 * beyond the end of the file. Rot looks otherwise. Sectors that were written as zeros explain nothing.
 */
function* explainedByLostSector(window: SegmentWindow, at: number): Steps<boolean> {
  const { size, seed, segment } = window;
  let end = at + RECORD_HEADER_BYTES;
  if (end > size) return true;
  const head = yield* window.readApart(at, RECORD_HEADER_BYTES);
  const header = readRecordHeader(viewOf(head), head, 0, seed, segment, at);
  if (header !== null) end = at + recordBytes(Math.min(header.length, MAX_BATCH_BYTES));
  if (end > size) return true;
  const bytes = yield* window.readApart(at, roundUp(end, SECTOR_BYTES) - at);
  let zeroSectors = 0;
  for (let sector = at; sector < end; sector = roundUp(sector + 1, SECTOR_BYTES)) {
    const until = Math.min(roundUp(sector + 1, SECTOR_BYTES), at + bytes.length);
    if (isZero(bytes, sector - at, until - at)) zeroSectors += 1;
  }
  return zeroSectors > (header?.zeroSectors ?? 0);
}

function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}
