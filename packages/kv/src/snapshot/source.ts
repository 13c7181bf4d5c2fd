import { writeByteString } from '../byte-string.ts';
import { ByteWriter } from '../byte-stream.ts';
import type { KeyHistory, Version } from '../mvcc/key-history.ts';
import type { MvccStore, Pin } from '../mvcc/store.ts';
import { copyBytes } from '../mvcc/value-slabs.ts';
import { beginBlock, blockTarget, endBlock, magic, Section } from './format.ts';

/** What a snapshot shows, fixed when it is opened. The parts are already encoded; the keys are read as it goes. */
export interface SnapshotContent {
  readonly lastCommand: number;
  readonly revision: number;
  readonly compactRevision: number;
  readonly clusterVersion: number;
  readonly members: Uint8Array;
  readonly appliedCommands: Uint8Array;
}

/** Record flags in the keys section. */
export const recordFlag = { sameKey: 1, tombstone: 2, lease: 4 } as const;

/**
 * A pinned state, cut into blocks. Which blocks come depends on the commands applied alone: versions that compaction made
 * unreachable are left out whether they have been freed or not, so replicas at the same command write the same bytes.
 */
export class KvSnapshotSource {
  readonly #store: MvccStore;
  readonly #content: SnapshotContent;
  readonly #pin: Pin;
  readonly #blocks: Generator<Uint8Array, void, undefined>;
  #number = 0;
  #keys = 0;
  #versions = 0;

  constructor(store: MvccStore, content: SnapshotContent) {
    this.#store = store;
    this.#content = content;
    this.#pin = store.pin(content.compactRevision);
    this.#blocks = this.#cut();
  }

  /** The next slice, or null at the end. About `blockTarget` bytes of work. */
  next(): Uint8Array | null {
    const step = this.#blocks.next();
    return step.done === true ? null : step.value;
  }

  close(): void {
    this.#store.unpin(this.#pin);
  }

  *#cut(): Generator<Uint8Array, void, undefined> {
    const { members, appliedCommands, clusterVersion } = this.#content;
    yield this.#whole(Section.state, (to) => this.#writeState(to));
    yield this.#whole(Section.members, (to) => to.raw(members));
    yield this.#whole(Section.clusterVersion, (to) => to.u32(clusterVersion));
    yield this.#whole(Section.appliedCommands, (to) => to.raw(appliedCommands));
    yield* this.#cutKeys();
    // Nothing replicated stands in these yet; a reader refuses them if they are not empty.
    for (const section of [Section.leases, Section.auth, Section.alarms]) yield this.#whole(section, () => {});
    yield this.#whole(Section.end, (to) => {
      to.varint(this.#keys);
      to.varint(this.#versions);
    });
  }

  #writeState(to: ByteWriter): void {
    to.u32(magic);
    to.varint(this.#content.lastCommand);
    to.varint(this.#content.revision);
    // From −1 (never) upward.
    to.varint(this.#content.compactRevision + 1);
  }

  /** A section of one block. */
  #whole(section: Section, write: (to: ByteWriter) => void): Uint8Array {
    const writer = new ByteWriter(1024);
    beginBlock(writer);
    write(writer);
    return endBlock(writer, section, this.#number++, true);
  }

  *#cutKeys(): Generator<Uint8Array, void, undefined> {
    const { revision, compactRevision } = this.#content;
    // Most stores are small, and a block's memory is had soon where they are not.
    const writer = new ByteWriter(4096);
    beginBlock(writer);
    const cursor = this.#store.cursor('');
    while (cursor.next()) {
      const key = cursor.key;
      const versions = shownVersions(cursor.value, compactRevision, revision);
      let sameKey = false;
      for (const version of versions) {
        if (writer.length >= blockTarget) {
          yield endBlock(writer, Section.keys, this.#number++, false);
          beginBlock(writer);
          sameKey = false;
        }
        writeRecord(writer, sameKey ? null : key, version);
        sameKey = true;
      }
      if (versions.length > 0) this.#keys++;
      this.#versions += versions.length;
    }
    yield endBlock(writer, Section.keys, this.#number++, true);
  }
}

function shownVersions(history: KeyHistory, compactRevision: number, revision: number): readonly Version[] {
  const versions: Version[] = [];
  for (let i = history.firstNeeded(compactRevision); i < history.length; i++) {
    const version = history.version(i);
    if (version.modRevision > revision) break;
    versions.push(version);
  }
  return versions;
}

/** `key` is null if the record before it in the block is of the same key. */
function writeRecord(to: ByteWriter, key: string | null, version: Version): void {
  const tombstone = version.isTombstone;
  const lease = version.lease !== 0n;
  to.byte(
    (key === null ? recordFlag.sameKey : 0) | (tombstone ? recordFlag.tombstone : 0) | (lease ? recordFlag.lease : 0),
  );
  if (key !== null) {
    to.varint(key.length);
    const at = to.reserve(key.length);
    writeByteString(key, to.buffer, at);
  }
  to.varint(version.modRevision);
  to.varint(version.subRevision);
  if (tombstone) return;
  to.varint(version.createRevision);
  to.varint(version.version);
  if (lease) to.u64(BigInt.asUintN(64, version.lease));
  to.varint(version.length);
  const at = to.reserve(version.length);
  copyBytes(version.slab.bytes, version.offset, version.length, to.buffer, at);
}
