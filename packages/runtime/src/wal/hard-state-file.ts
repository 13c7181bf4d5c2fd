/**
 * The file `hardstate`: whose directory this is, term and vote, and which segments must exist. Two copies in sectors far apart, each
 * written and synced before the other is touched, so that a crash spoils at most one and rot in one is mended from the other.
 *
 * Term and vote ride in the seal of every batch; here they stand as of the last time the set of segments changed. That is
 * a lower bound for the log: one that ends before it has lost something.
 */
import type { HardState } from '@quorate/raft';
import { BlockReader, BlockWriter, encodeText, isZero, viewOf } from '../bytes.ts';
import { crc32c } from '../crc32c.ts';
import type { DiskOperation, DiskQueue } from '../environment.ts';
import { StorageFailure } from '../storage-failure.ts';
import type { StorageIdentity } from '../storage.ts';
import { read, type Steps, sizeIfPresent } from '../steps.ts';
import { FORMAT_VERSION, SECTOR_BYTES, startsWith } from './format.ts';
import { hasSegments } from './owner-in-log.ts';

export const HARD_STATE_PATH = 'hardstate';

const MAGIC = encodeText('QUORHST\n');
const SLOT_OFFSETS: readonly number[] = [0, 4096];

export interface Manifest {
  readonly identity: StorageIdentity;
  /** Grows by one with each write of a copy. */
  readonly generation: number;
  /** The batch that was the last durable one when this was written. */
  readonly sequence: number;
  readonly hardState: HardState;
  /** Segments before this one are no longer part of the log. */
  readonly firstSegment: number;
  /** This segment was durable when this was written: the log cannot end before it. */
  readonly lastSegment: number;
}

export interface HardStateFile {
  readonly manifest: Manifest;
  /** One copy was damaged or behind, and should be written again. */
  readonly needsRepair: boolean;
  readonly damagedCopies: number;
}

/** Writes both copies, one after the other. */
export function manifestOperations(manifest: Manifest): readonly DiskOperation[] {
  return SLOT_OFFSETS.flatMap((offset, copy): readonly DiskOperation[] => [
    {
      op: 'write',
      path: HARD_STATE_PATH,
      offset,
      bytes: encodeManifest({ ...manifest, generation: manifest.generation + copy }),
    },
    { op: 'sync', path: HARD_STATE_PATH },
  ]);
}

function encodeManifest(manifest: Manifest): Uint8Array {
  const { identity, hardState } = manifest;
  const block = new BlockWriter(SECTOR_BYTES)
    .raw(MAGIC)
    .uint32(0)
    .uint32(FORMAT_VERSION)
    .safe(manifest.generation)
    .safe(manifest.sequence)
    .uint32(manifest.firstSegment)
    .uint32(manifest.lastSegment)
    .safe(hardState.term)
    .uint32(hardState.vote === null ? 0 : 1)
    .text(hardState.vote ?? '')
    .uint32(identity.group)
    .text(identity.clusterId)
    .text(identity.member)
    .text(identity.incarnation).bytes;
  viewOf(block).setUint32(8, crc32c(block, 12), true);
  return block;
}

type SlotProblem = 'zero' | 'magic' | 'version' | 'damaged';

function decodeManifest(bytes: Uint8Array): Manifest | SlotProblem {
  if (isZero(bytes, 0, bytes.length)) return 'zero';
  if (!startsWith(bytes, MAGIC)) return 'magic';
  if (bytes.length < SECTOR_BYTES) return 'damaged';
  const block = new BlockReader(bytes, MAGIC.length);
  if (block.uint32() !== crc32c(bytes, 12, SECTOR_BYTES)) return 'damaged';
  if (block.uint32() !== FORMAT_VERSION) return 'version';
  const [generation, sequence] = [block.safe(), block.safe()];
  const [firstSegment, lastSegment] = [block.uint32(), block.uint32()];
  const [term, voted, vote] = [block.safe(), block.uint32(), block.text()];
  const group = block.uint32();
  const identity = { clusterId: block.text(), group, member: block.text(), incarnation: block.text() };
  const hardState = { term, vote: voted === 1 ? vote : null };
  return block.ok ? { identity, generation, sequence, hardState, firstSegment, lastSegment } : 'damaged';
}

/** Reads both copies. Null if neither is intact, though the file is ours; fails if it is not ours or of another version. */
export function* readHardStateFile(disk: DiskQueue): Steps<HardStateFile | null> {
  const bytes = yield* sizeIfPresent(disk, HARD_STATE_PATH);
  if (bytes === null) return null;
  const slots: (Manifest | SlotProblem)[] = [];
  for (const offset of SLOT_OFFSETS) {
    slots.push(decodeManifest(yield* read(disk, HARD_STATE_PATH, offset, SECTOR_BYTES)));
  }
  const intact = slots.filter((slot) => typeof slot === 'object');
  const [first, second] = intact;
  if (first === undefined) return yield* refuseOrNull(disk, slots);
  const manifest = second !== undefined && second.generation > first.generation ? second : first;
  return { manifest, needsRepair: second === undefined || isBehind(first, second), damagedCopies: 2 - intact.length };
}

/** The second copy is written right after the first, one generation on. */
function isBehind(first: Manifest, second: Manifest): boolean {
  return second.generation !== first.generation + 1;
}

function* refuseOrNull(disk: DiskQueue, slots: readonly (Manifest | SlotProblem)[]): Steps<null> {
  if (slots.includes('version')) {
    throw new StorageFailure(
      'UnsupportedVersion',
      `'${HARD_STATE_PATH}' was written in a format that this version does not know (it knows ${FORMAT_VERSION}). Start the version that wrote it.`,
      HARD_STATE_PATH,
      0,
    );
  }
  // Beside a log of ours it is ours, and damaged from its first byte on.
  if (slots.every((slot) => slot === 'magic') && !(yield* hasSegments(disk))) {
    throw new StorageFailure(
      'ForeignDirectory',
      `'${HARD_STATE_PATH}' is not a file of Quorate. Give this server a data directory of its own.`,
      HARD_STATE_PATH,
      0,
    );
  }
  return null;
}
