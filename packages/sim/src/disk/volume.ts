/** Files under their names, on a volume of limited size. Knows no time and no faults but those of a power cut. */
import type { DiskOperation } from '@quorate/runtime';
import type { RandomStream } from '../random.ts';
import { type Survival, VirtualFile } from './file.ts';
import { PAGE_BYTES, PagedBytes } from './paged-bytes.ts';

type NameChange =
  | { readonly kind: 'set'; readonly path: string; readonly file: VirtualFile }
  | { readonly kind: 'rename'; readonly from: string; readonly path: string; readonly file: VirtualFile }
  | { readonly kind: 'remove'; readonly path: string }
  | { readonly kind: 'directory'; readonly path: string };

interface Names {
  readonly files: Map<string, VirtualFile>;
  readonly directories: Set<string>;
}

/** Why an operation cannot be carried out: the system's code. */
export type VolumeError = 'ENOENT' | 'ENOSPC';

export class Volume {
  /** Bytes that everything on it together may take. */
  capacity: number;
  /** Bytes of it that others have taken. */
  others = 0;
  #used = 0;
  readonly #names: Names;
  readonly #durable: Names;
  /** Changes of names since the last sync of their directory. */
  #unsynced: NameChange[] = [];

  private constructor(contents: ReadonlyMap<string, PagedBytes>, directories: ReadonlySet<string>, capacity: number) {
    this.capacity = capacity;
    const files = new Map([...contents].map(([path, content]) => [path, new VirtualFile(content)]));
    this.#names = { files, directories: new Set(directories) };
    this.#durable = { files: new Map(files), directories: new Set(directories) };
    for (const file of files.values()) this.#used += file.visible.length;
  }

  /** An empty volume. */
  static empty(capacity = Number.MAX_SAFE_INTEGER): Volume {
    return new Volume(new Map(), new Set(['']), capacity);
  }

  /** A volume that holds these files, durably. */
  static of(files: ReadonlyMap<string, Uint8Array>, capacity = Number.MAX_SAFE_INTEGER): Volume {
    const directories = new Set(['']);
    for (const path of files.keys()) {
      for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) directories.add(path.slice(0, at));
    }
    return new Volume(new Map([...files].map(([path, bytes]) => [path, PagedBytes.of(bytes)])), directories, capacity);
  }

  get free(): number {
    return Math.max(0, this.capacity - this.others - this.#used);
  }

  file(path: string): VirtualFile | null {
    return this.#names.files.get(path) ?? null;
  }

  get paths(): readonly string[] {
    return [...this.#names.files.keys()];
  }

  /** Every file as it would be read now. */
  contents(): Map<string, Uint8Array> {
    return new Map([...this.#names.files].map(([path, file]) => [path, file.visible.read(0, file.visible.length)]));
  }

  /** Names in a directory, sorted; null if there is none. */
  list(path: string): readonly string[] | null {
    if (!this.#names.directories.has(path)) return null;
    const within = [...this.#names.files.keys(), ...this.#names.directories].filter(
      (each) => each !== '' && directoryOf(each) === path,
    );
    return within.map((each) => each.slice(path === '' ? 0 : path.length + 1)).sort();
  }

  /** Carries an operation out on what readers see; what it makes durable is durable at once. */
  carryOut(operation: DiskOperation): VolumeError | null {
    switch (operation.op) {
      case 'write':
        return this.#write(operation.path, operation.offset, operation.bytes);
      case 'sync':
        return this.#opened(operation.path, (file) => file.sync());
      case 'syncDirectory':
        return this.#syncDirectory(operation.path);
      case 'allocate':
        return this.#allocate(operation.path, operation.length);
      case 'truncate':
        return this.#opened(operation.path, (file) => {
          this.#used += operation.length - file.visible.length;
          file.truncate(operation.length);
        });
      case 'rename':
        return this.#rename(operation.from, operation.to);
      case 'remove':
        return this.#remove(operation.path);
      case 'makeDirectory':
        return this.#makeDirectory(operation.path);
    }
  }

  /** What a power cut leaves, as a volume of its own. This one is of no use afterwards. */
  cutPower(stream: RandomStream, survival: Survival): Volume {
    const mood = stream.below(4);
    for (const change of this.#unsynced) {
      const kept = mood === 1 || (mood > 1 && stream.below(2) === 0);
      if (kept) applyChange(this.#durable, change);
    }
    const left = new Map<VirtualFile, PagedBytes>();
    const files = new Map<string, PagedBytes>();
    for (const [path, file] of this.#durable.files) {
      // A directory that was lost takes with it what was in it.
      if (!this.#durable.directories.has(directoryOf(path))) continue;
      const content = left.get(file)?.clone() ?? file.survivors(stream, survival);
      left.set(file, content);
      files.set(path, content);
    }
    const after = new Volume(files, this.#durable.directories, this.capacity);
    after.others = this.others;
    return after;
  }

  /** What fits is written before a full volume refuses the rest: whole pages, as files get their space. */
  #write(path: string, offset: number, bytes: Uint8Array): VolumeError | null {
    return this.#opened(path, (file) => {
      const before = file.visible.length;
      const most = before + this.free;
      const fits = offset + bytes.length <= most ? bytes.length : most - (most % PAGE_BYTES) - offset;
      if (fits > 0) file.write(offset, fits === bytes.length ? bytes : bytes.subarray(0, fits));
      this.#used += file.visible.length - before;
      return fits === bytes.length ? null : 'ENOSPC';
    });
  }

  #allocate(path: string, length: number): VolumeError | null {
    return this.#opened(path, (file) => {
      const before = file.visible.length;
      const end = Math.min(length, before + this.free);
      file.grow(end);
      this.#used += file.visible.length - before;
      return end < length ? 'ENOSPC' : null;
    });
  }

  /** Opens a file as the system does for writing: it is created if its directory exists. */
  #opened(path: string, work: (file: VirtualFile) => VolumeError | null | void): VolumeError | null {
    const known = this.#names.files.get(path);
    if (known !== undefined) return work(known) ?? null;
    if (!this.#names.directories.has(directoryOf(path))) return 'ENOENT';
    const file = new VirtualFile();
    this.#change({ kind: 'set', path, file });
    return work(file) ?? null;
  }

  #rename(from: string, to: string): VolumeError | null {
    const file = this.#names.files.get(from);
    if (file === undefined || !this.#names.directories.has(directoryOf(to))) return 'ENOENT';
    const replaced = this.#names.files.get(to);
    if (replaced !== undefined && replaced !== file) this.#used -= replaced.visible.length;
    this.#change({ kind: 'rename', from, path: to, file });
    return null;
  }

  #remove(path: string): null {
    const file = this.#names.files.get(path);
    if (file === undefined) return null;
    this.#used -= file.visible.length;
    this.#change({ kind: 'remove', path });
    return null;
  }

  #makeDirectory(path: string): null {
    let parent = '';
    for (const part of path.split('/')) {
      parent = parent === '' ? part : `${parent}/${part}`;
      if (!this.#names.directories.has(parent)) this.#change({ kind: 'directory', path: parent });
    }
    return null;
  }

  #syncDirectory(path: string): VolumeError | null {
    if (!this.#names.directories.has(path)) return 'ENOENT';
    const later: NameChange[] = [];
    for (const change of this.#unsynced) {
      if (directoryOf(change.path) === path) applyChange(this.#durable, change);
      else later.push(change);
    }
    this.#unsynced = later;
    return null;
  }

  #change(change: NameChange): void {
    applyChange(this.#names, change);
    this.#unsynced.push(change);
  }
}

function applyChange(names: Names, change: NameChange): void {
  switch (change.kind) {
    case 'set':
      names.files.set(change.path, change.file);
      break;
    case 'rename':
      // Atomic: never under both names, and under none only if its creation was lost as well.
      if (names.files.get(change.from) === change.file) names.files.delete(change.from);
      names.files.set(change.path, change.file);
      break;
    case 'remove':
      names.files.delete(change.path);
      break;
    case 'directory':
      names.directories.add(change.path);
  }
}

function directoryOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '' : path.slice(0, slash);
}
