import { ProtobufError } from '../api/index.ts';
import type { ByteReader } from '../byte-stream.ts';
import { byteStringOf } from '../byte-string.ts';
import { AppliedCommands } from '../machine/applied-commands.ts';
import { PublishedMembers } from '../machine/members.ts';
import { Version } from '../mvcc/key-history.ts';
import { MvccStore } from '../mvcc/store.ts';
import {
  type Block,
  corrupt,
  magic,
  openBlock,
  readerOf,
  Section,
  sectionVersion,
  supportedClusterVersion,
  unsupportedSnapshot,
} from './format.ts';
import { recordFlag } from './source.ts';

/** Everything that a snapshot restores. */
export interface RestoredState {
  readonly lastCommand: number;
  readonly clusterVersion: number;
  readonly members: PublishedMembers;
  readonly appliedCommands: AppliedCommands;
  readonly store: MvccStore;
}

/** Takes a snapshot's blocks in order and checks everything that can be checked before the state is used. */
export class SnapshotReader {
  #nextNumber = 0;
  #section = 0;
  /** Whether the last block of the present section has come. */
  #sectionDone = true;

  #store: MvccStore | null = null;
  #lastCommand = 0;
  #members: PublishedMembers | null = null;
  #clusterVersion: number | null = null;
  #appliedCommands: AppliedCommands | null = null;
  #keysDone = false;
  #complete = false;

  #lastKey: string | null = null;
  #lastMod = 0;
  #lastSub = 0;
  #keys = 0;
  #versions = 0;

  /**
   * Takes the next block.
   *
   * @throws StateMachineError when it is damaged, out of place or of a kind that this version does not know.
   */
  write(bytes: Uint8Array): void {
    const block = openBlock(bytes);
    this.#checkPlace(block);
    this.#read(block);
  }

  /**
   * The restored state.
   *
   * @throws StateMachineError when something is missing.
   */
  finish(): RestoredState {
    const store = this.#store;
    const members = this.#members;
    const clusterVersion = this.#clusterVersion;
    const appliedCommands = this.#appliedCommands;
    if (!this.#complete || !this.#keysDone || store === null) throw corrupt('no end');
    if (members === null || clusterVersion === null || appliedCommands === null) throw corrupt('a section missing');
    return { lastCommand: this.#lastCommand, clusterVersion, members, appliedCommands, store };
  }

  #checkPlace(block: Block): void {
    if (block.number !== this.#nextNumber) {
      throw corrupt(`block ${block.number} where block ${this.#nextNumber} should be`);
    }
    this.#nextNumber++;
    const continues = !this.#sectionDone;
    if (continues ? block.section !== this.#section : block.section <= this.#section) {
      throw corrupt(`section ${block.section} after section ${this.#section}`);
    }
    if (this.#section === 0 && block.section !== Section.state) throw corrupt('something else than its state first');
    this.#section = block.section;
    this.#sectionDone = block.last;
  }

  #read(block: Block): void {
    if (!isKnown(block)) {
      if (block.required) throw unsupportedSnapshot(`section ${block.section} in version ${block.version}`);
      return;
    }
    const from = readerOf(block.payload);
    switch (block.section) {
      case Section.state:
        this.#readState(from);
        break;
      case Section.members:
        this.#members = readMembers(from);
        break;
      case Section.clusterVersion:
        this.#clusterVersion = readClusterVersion(from);
        break;
      case Section.appliedCommands:
        this.#appliedCommands = AppliedCommands.read(from);
        break;
      case Section.keys:
        while (!from.atEnd) this.#readRecord(from, block.payload);
        this.#keysDone = block.last;
        break;
      case Section.end:
        this.#readEnd(from);
        break;
      default:
        break;
    }
    if (!from.atEnd) throw corrupt(`more in section ${block.section} than this version can hold`);
  }

  #readState(from: ByteReader): void {
    if (from.u32() !== magic) throw corrupt('another kind of content than a key-value state');
    this.#lastCommand = from.varint();
    const revision = from.varint();
    const compactRevision = from.varint() - 1;
    if (revision < 1 || compactRevision > revision) {
      throw corrupt(`revision ${revision}, compacted at ${compactRevision}, which cannot be`);
    }
    this.#store = new MvccStore(revision, compactRevision);
  }

  #readRecord(from: ByteReader, payload: Uint8Array): void {
    const store = this.#store;
    if (store === null) throw corrupt('keys before its state');
    const flags = from.byte();
    const key = this.#readKey(from, flags);
    const modRevision = from.varint();
    const subRevision = from.varint();
    this.#checkOrder(modRevision, subRevision, store.revision);
    this.#versions++;
    if ((flags & recordFlag.tombstone) !== 0) {
      store.restore(key, new Version(modRevision, subRevision, 0, 0, 0n), payload, 0, 0);
      return;
    }
    const createRevision = from.varint();
    const count = from.varint();
    if (createRevision < 1 || createRevision > modRevision || count < 1) throw corrupt('a version that cannot be');
    const lease = (flags & recordFlag.lease) === 0 ? 0n : BigInt.asIntN(64, from.u64());
    const length = from.varint();
    const at = from.skip(length);
    store.restore(key, new Version(modRevision, subRevision, createRevision, count, lease), payload, at, length);
  }

  #readKey(from: ByteReader, flags: number): string {
    if ((flags & recordFlag.sameKey) !== 0) {
      if (this.#lastKey === null) throw corrupt('a version without a key');
      return this.#lastKey;
    }
    const key = byteStringOf(from.block());
    if (key === '') throw corrupt('an empty key');
    // A key whose versions fill more than one block is named again in the next.
    if (key !== this.#lastKey) {
      if (this.#lastKey !== null && key < this.#lastKey) throw corrupt('keys out of order');
      this.#lastKey = key;
      this.#lastMod = 0;
      this.#lastSub = 0;
      this.#keys++;
    }
    return key;
  }

  #checkOrder(modRevision: number, subRevision: number, revision: number): void {
    const rises = modRevision > this.#lastMod || (modRevision === this.#lastMod && subRevision > this.#lastSub);
    if (!rises || modRevision > revision) throw corrupt('versions out of order');
    this.#lastMod = modRevision;
    this.#lastSub = subRevision;
  }

  #readEnd(from: ByteReader): void {
    const keys = from.varint();
    const versions = from.varint();
    if (keys !== this.#keys || versions !== this.#versions) {
      throw corrupt(`${this.#keys} keys and ${this.#versions} versions where ${keys} and ${versions} were written`);
    }
    this.#complete = true;
  }
}

function isKnown(block: Block): boolean {
  const sections: readonly number[] = Object.values(Section);
  return block.version === sectionVersion && sections.includes(block.section);
}

function readMembers(from: ByteReader): PublishedMembers {
  try {
    return PublishedMembers.read(from);
  } catch (cause) {
    throw cause instanceof ProtobufError ? corrupt('a member that cannot be decoded') : cause;
  }
}

function readClusterVersion(from: ByteReader): number {
  const version = from.u32();
  if (version > supportedClusterVersion) throw unsupportedSnapshot(`cluster version ${version}`);
  return version;
}
