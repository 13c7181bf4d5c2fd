/**
 * A disk in memory that forgets as a real one may. What was written and not synced is kept, lost or torn at sector borders when it
 * crashes, each write on its own; names that were made, changed or removed without syncing their directory may come back as they were.
 */
import type { Disk, DiskError, DiskOperation, DiskQueue } from '../../src/environment.ts';

const SECTOR_BYTES = 512;

/** Draws from [0, bound). */
export type Draw = (bound: number) => number;

interface Inode {
  /** What a reader sees. */
  bytes: Uint8Array;
  length: number;
  /** What a crash leaves for certain. */
  durable: Uint8Array;
  /** Sectors written since the last sync. */
  dirty: Set<number>;
}

type Names = Map<string, Inode>;

type NameChange =
  | { readonly kind: 'set'; readonly name: string; readonly inode: Inode }
  | { readonly kind: 'rename'; readonly from: string; readonly to: string; readonly inode: Inode }
  | { readonly kind: 'remove'; readonly name: string };

/** What a disk holds when the power is off. */
export type DiskImage = ReadonlyMap<string, Uint8Array>;

export interface MemoryDiskOptions {
  /** Bytes that all files together may take. */
  readonly capacity?: number;
  /** Dies before carrying out this operation, counted from 1; nothing is answered after that. */
  readonly crashAt?: number;
  /** Fails this operation with this code; later ones work. */
  readonly failAt?: { readonly operation: number; readonly code: string };
}

export class MemoryDisk implements Disk {
  readonly background: DiskQueue;
  /** Operations carried out so far, those of `background` included. */
  operations = 0;
  /** Each as `op path`, for tests that look at the order. */
  readonly journal: string[] = [];
  capacity: number;
  crashAt: number;
  failAt: { readonly operation: number; readonly code: string } | null;
  /** Writes to these paths fail with EIO. */
  failWrites: (path: string) => boolean = () => false;
  crashed = false;
  held = false;
  readonly #names: Names = new Map();
  /** Changes of names since the last sync of their directory. */
  #pendingNames: NameChange[] = [];
  #durableNames: Names = new Map();
  readonly #directories = new Set<string>(['']);
  readonly #defer: (callback: () => void) => void;

  constructor(defer: (callback: () => void) => void, image: DiskImage = new Map(), options: MemoryDiskOptions = {}) {
    this.#defer = defer;
    this.capacity = options.capacity ?? Number.POSITIVE_INFINITY;
    this.crashAt = options.crashAt ?? Number.POSITIVE_INFINITY;
    this.failAt = options.failAt ?? null;
    for (const [name, bytes] of image) {
      const inode: Inode = { bytes: bytes.slice(), length: bytes.length, durable: bytes.slice(), dirty: new Set() };
      this.#names.set(name, inode);
      this.#durableNames.set(name, inode);
      this.#directories.add(directoryOf(name));
    }
    this.background = {
      submit: (operations, done) => this.submit(operations, done),
      read: (path, offset, length, done) => this.read(path, offset, length, done),
      list: (path, done) => this.list(path, done),
      size: (path, done) => this.size(path, done),
      free: (done) => this.free(done),
    };
  }

  /** Everything as it would be read now. */
  image(): Map<string, Uint8Array> {
    return new Map([...this.#names].map(([name, inode]) => [name, inode.bytes.slice(0, inode.length)]));
  }

  /** What is left when the power goes now: unsynced sectors and names each kept or lost as `draw` has it. */
  crash(draw: Draw): Map<string, Uint8Array> {
    this.crashed = true;
    const names: Names = new Map(this.#durableNames);
    for (const change of this.#pendingNames) if (draw(2) === 0) applyChange(names, change);
    const left = new Map<Inode, Uint8Array>();
    const image = new Map<string, Uint8Array>();
    for (const [name, inode] of names) {
      const bytes = left.get(inode) ?? survivors(inode, draw);
      left.set(inode, bytes);
      image.set(name, bytes);
    }
    return image;
  }

  hold(done: (error: DiskError | null) => void): void {
    this.#answer(() => {
      this.held = true;
      done(null);
    });
  }

  close(done: () => void): void {
    this.#answer(() => {
      this.held = false;
      done();
    });
  }

  submit(operations: readonly DiskOperation[], done: (error: DiskError | null) => void): void {
    this.#answer(() => {
      for (const operation of operations) {
        this.operations += 1;
        if (this.operations >= this.crashAt) this.crashed = true;
        if (this.crashed) return;
        const path = operation.op === 'rename' ? operation.from : operation.path;
        this.journal.push(`${operation.op} ${path}`);
        const code = this.failAt?.operation === this.operations ? this.failAt.code : this.#carryOut(operation);
        if (code !== null) return done({ code, message: `${operation.op} failed`, path, operation: operation.op });
      }
      done(null);
    });
  }

  read(path: string, offset: number, length: number, done: (error: DiskError | null, bytes: Uint8Array) => void): void {
    this.#answer(() => {
      const inode = this.#names.get(path);
      if (inode === undefined) return done(absent(path), new Uint8Array(0));
      done(null, inode.bytes.slice(Math.min(offset, inode.length), Math.min(offset + length, inode.length)));
    });
  }

  list(path: string, done: (error: DiskError | null, names: readonly string[]) => void): void {
    this.#answer(() => {
      const prefix = path === '' ? '' : `${path}/`;
      const paths = [...this.#names.keys(), ...this.#directories].filter(
        (name) => name !== '' && name.startsWith(prefix),
      );
      if (!this.#directories.has(path)) return done(absent(path), []);
      const names = new Set(paths.map((name) => name.slice(prefix.length).split('/')[0] ?? ''));
      done(null, [...names].sort());
    });
  }

  size(path: string, done: (error: DiskError | null, bytes: number) => void): void {
    this.#answer(() => {
      const inode = this.#names.get(path);
      done(inode === undefined ? absent(path) : null, inode?.length ?? 0);
    });
  }

  free(done: (error: DiskError | null, bytes: number) => void): void {
    this.#answer(() => done(null, Math.max(0, Math.min(this.capacity - this.#used(), Number.MAX_SAFE_INTEGER))));
  }

  #answer(work: () => void): void {
    this.#defer(() => {
      if (!this.crashed) work();
    });
  }

  #used(): number {
    let used = 0;
    for (const inode of this.#names.values()) used += inode.length;
    return used;
  }

  #carryOut(operation: DiskOperation): string | null {
    switch (operation.op) {
      case 'write':
        if (this.failWrites(operation.path)) return 'EIO';
        return this.#write(operation.path, operation.offset, operation.bytes);
      case 'sync':
        return this.#sync(operation.path);
      case 'syncDirectory':
        return this.#syncDirectory(operation.path);
      case 'allocate': {
        const from = this.#names.get(operation.path)?.length ?? 0;
        return this.#write(operation.path, from, new Uint8Array(Math.max(0, operation.length - from)));
      }
      case 'truncate': {
        const inode = this.#file(operation.path);
        inode.bytes.fill(0, operation.length);
        inode.length = operation.length;
        return null;
      }
      case 'rename': {
        const inode = this.#names.get(operation.from);
        if (inode === undefined) return 'ENOENT';
        return this.#change({ kind: 'rename', from: operation.from, to: operation.to, inode });
      }
      case 'remove':
        return this.#names.has(operation.path) ? this.#change({ kind: 'remove', name: operation.path }) : null;
      case 'makeDirectory':
        this.#directories.add(operation.path);
        return null;
    }
  }

  #change(change: NameChange): null {
    applyChange(this.#names, change);
    this.#pendingNames.push(change);
    return null;
  }

  #file(path: string): Inode {
    const known = this.#names.get(path);
    if (known !== undefined) return known;
    const inode: Inode = { bytes: new Uint8Array(0), length: 0, durable: new Uint8Array(0), dirty: new Set() };
    this.#change({ kind: 'set', name: path, inode });
    return inode;
  }

  #write(path: string, offset: number, bytes: Uint8Array): string | null {
    const end = offset + bytes.length;
    const growth = Math.max(0, end - (this.#names.get(path)?.length ?? 0));
    if (growth > 0 && this.#used() + growth > this.capacity) return 'ENOSPC';
    const inode = this.#file(path);
    if (end > inode.bytes.length) {
      const larger = new Uint8Array(Math.max(end, inode.bytes.length * 2));
      larger.set(inode.bytes.subarray(0, inode.length));
      inode.bytes = larger;
    }
    inode.bytes.set(bytes, offset);
    const first = Math.min(offset, inode.length);
    inode.length = Math.max(inode.length, end);
    for (let sector = Math.floor(first / SECTOR_BYTES); sector * SECTOR_BYTES < end; sector++) inode.dirty.add(sector);
    return null;
  }

  #sync(path: string): string | null {
    const inode = this.#file(path);
    if (inode.durable.length !== inode.length) {
      const larger = new Uint8Array(inode.length);
      larger.set(inode.durable.subarray(0, inode.length));
      inode.durable = larger;
    }
    for (const sector of inode.dirty) {
      const start = sector * SECTOR_BYTES;
      inode.durable.set(inode.bytes.subarray(start, Math.min(start + SECTOR_BYTES, inode.length)), start);
    }
    inode.dirty.clear();
    return null;
  }

  #syncDirectory(path: string): null {
    const within = (name: string): boolean => directoryOf(name) === path;
    const here = (change: NameChange): boolean => within(change.kind === 'rename' ? change.to : change.name);
    for (const change of this.#pendingNames) if (here(change)) applyChange(this.#durableNames, change);
    this.#pendingNames = this.#pendingNames.filter((change) => !here(change));
    return null;
  }
}

function applyChange(names: Names, change: NameChange): void {
  switch (change.kind) {
    case 'set':
      names.set(change.name, change.inode);
      break;
    case 'rename':
      // Atomic: never under both names, and under none only if its creation was lost as well.
      if (names.get(change.from) === change.inode) names.delete(change.from);
      names.set(change.to, change.inode);
      break;
    case 'remove':
      names.delete(change.name);
  }
}

/** Each unsynced sector is there as it was written or as it was before; the file may end anywhere between its old and its new length. */
function survivors(inode: Inode, draw: Draw): Uint8Array {
  const whole = draw(3);
  const shorter = Math.min(inode.durable.length, inode.length);
  const length =
    whole === 0 ? inode.length : shorter + draw(Math.max(inode.length, inode.durable.length) - shorter + 1);
  const bytes = new Uint8Array(length);
  bytes.set(inode.durable.subarray(0, length));
  for (const sector of inode.dirty) {
    const start = sector * SECTOR_BYTES;
    if (start >= length || (whole !== 0 && draw(2) === 0)) continue;
    bytes.set(inode.bytes.subarray(start, Math.min(start + SECTOR_BYTES, inode.length, length)), start);
  }
  return bytes;
}

function directoryOf(name: string): string {
  const slash = name.lastIndexOf('/');
  return slash < 0 ? '' : name.slice(0, slash);
}

function absent(path: string): DiskError {
  return { code: 'ENOENT', message: 'no such file', path };
}
