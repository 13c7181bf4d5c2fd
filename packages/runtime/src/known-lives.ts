/**
 * Which life of each founding member has told this server that it begins: the file `lives`. A member tells enough others before it
 * votes or acknowledges anything, so that another life of it, on a disk that replaced the first, finds one who knows
 * (transport/question.ts). Until an entry binds the first one, nothing else does.
 */
import type { Incarnation, MemberId } from '@quorate/raft';
import { BlockReader, BlockWriter, encodeText, viewOf } from './bytes.ts';
import { crc32c } from './crc32c.ts';
import type { DiskError, DiskOperation, DiskQueue } from './environment.ts';
import { read, type Steps } from './steps.ts';
import { startsWith } from './wal/format.ts';

export const LIVES_PATH = 'lives';
/** Written and synced under this name first, so that a crash leaves the old file or the new one. */
export const NEW_LIVES_PATH = 'lives.new';

/** More than a cluster has founding members: each is remembered for good, so whoever comes when all places are taken never begins. */
export const maxKnownLives = 256;

const MAGIC = encodeText('QUORLIV\n');
const FORMAT_VERSION = 1;
/** Magic, checksum, version, count. */
const HEADER_BYTES = 20;
/** Two texts, each of 64 characters of up to four bytes at most, with their lengths. */
const MOST_BYTES_EACH = 2 * (2 + 256);
const MOST_BYTES = HEADER_BYTES + maxKnownLives * MOST_BYTES_EACH;

/** What a server says of a member's life: that it is the one it knows, or which other one it knows; or that it cannot say. */
export type LifeAnswer = { readonly known: Incarnation } | { readonly problem: string };

interface Waiting {
  readonly member: MemberId;
  readonly done: (answer: LifeAnswer) => void;
}

export class KnownLives {
  readonly #disk: DiskQueue;
  readonly #lives: Map<MemberId, Incarnation>;
  /** Members whose life is durable for certain. What was read may have stood in the cache only. */
  readonly #firm = new Set<MemberId>();
  /** The file says something else than what was once written: no member can be told that nothing is known of it. */
  readonly #isDamaged: boolean;
  #waiting: Waiting[] = [];
  #isWriting = false;

  constructor(disk: DiskQueue, found: ReadonlyMap<MemberId, Incarnation> | 'damaged' = new Map()) {
    this.#disk = disk;
    this.#isDamaged = found === 'damaged';
    this.#lives = new Map(found === 'damaged' ? [] : found);
  }

  /** What is known of the member; null if nothing, which is no more than that if the file was damaged. */
  of(member: MemberId): Incarnation | null {
    return this.#lives.get(member) ?? null;
  }

  get isDamaged(): boolean {
    return this.#isDamaged;
  }

  /** Remembers the first life of the member that is named here. `done` is called, maybe at once, when that is durable. */
  remember(member: MemberId, incarnation: Incarnation, done: (answer: LifeAnswer) => void): void {
    const known = this.#lives.get(member);
    if (known !== undefined && (known !== incarnation || this.#firm.has(member))) return done({ known });
    if (this.#isDamaged) return done({ problem: `its file '${LIVES_PATH}' is damaged` });
    if (known === undefined && this.#lives.size >= maxKnownLives)
      return done({ problem: `it knows ${maxKnownLives} members already` });
    this.#lives.set(member, incarnation);
    this.#waiting.push({ member, done });
    this.#write();
  }

  #write(): void {
    if (this.#isWriting || this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#isWriting = true;
    const members = [...this.#lives.keys()];
    this.#disk.submit(replaceFile(encodeLives(this.#lives)), (error) => {
      this.#isWriting = false;
      if (error === null) for (const member of members) this.#firm.add(member);
      for (const { member, done } of waiting) done(this.#answer(member, error));
      this.#write();
    });
  }

  /** A life that could not be written is asked for again; it stays the one that is known. */
  #answer(member: MemberId, error: DiskError | null): LifeAnswer {
    if (error !== null) return { problem: `writing '${LIVES_PATH}' failed: ${error.code}: ${error.message}` };
    return { known: this.#lives.get(member) ?? '' };
  }
}

function replaceFile(bytes: Uint8Array): readonly DiskOperation[] {
  return [
    { op: 'remove', path: NEW_LIVES_PATH },
    { op: 'write', path: NEW_LIVES_PATH, offset: 0, bytes },
    { op: 'sync', path: NEW_LIVES_PATH },
    { op: 'rename', from: NEW_LIVES_PATH, to: LIVES_PATH },
    { op: 'syncDirectory', path: '' },
  ];
}

function encodeLives(lives: ReadonlyMap<MemberId, Incarnation>): Uint8Array {
  const size = HEADER_BYTES + lives.size * MOST_BYTES_EACH;
  const block = new BlockWriter(size).raw(MAGIC).uint32(0).uint32(FORMAT_VERSION).uint32(lives.size);
  for (const [member, incarnation] of lives) block.text(member).text(incarnation);
  viewOf(block.bytes).setUint32(8, crc32c(block.bytes, 12), true);
  return block.bytes;
}

export function* readKnownLives(disk: DiskQueue): Steps<KnownLives> {
  const bytes = yield* read(disk, LIVES_PATH, 0, MOST_BYTES);
  return new KnownLives(disk, decodeLives(bytes));
}

function decodeLives(bytes: Uint8Array): ReadonlyMap<MemberId, Incarnation> | 'damaged' {
  if (bytes.length < HEADER_BYTES || !startsWith(bytes, MAGIC)) return 'damaged';
  const block = new BlockReader(bytes, MAGIC.length);
  if (block.uint32() !== crc32c(bytes, 12) || block.uint32() !== FORMAT_VERSION) return 'damaged';
  const lives = new Map<MemberId, Incarnation>();
  for (let left = block.uint32(); left > 0 && block.ok; left--) lives.set(block.text(), block.text());
  return block.ok ? lives : 'damaged';
}
