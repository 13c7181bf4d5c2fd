/** A data directory in virtual time, on a disk that fails on purpose. One object is one life of the server that holds it. */
import { type Disk, type DiskError, type DiskOperation, type DiskQueue, findEntry } from '@quorate/runtime';
import type { RandomStream } from '../random.ts';
import type { Damage } from '../watch.ts';
import { type DamagePolicy, noDamage } from './damage-policy.ts';
import { type DiskFaultKind, type DiskFaults, type DiskTiming, defaultDiskTiming, healthyDisk } from './faults.ts';
import type { VirtualFile } from './file.ts';
import { Misfortunes } from './misfortunes.ts';
import { PAGE_BYTES, SECTOR_BYTES } from './paged-bytes.ts';
import { type DiskScheduler, type QueueOwner, VirtualQueue } from './queue.ts';
import { segmentOf } from './segments.ts';
import type { Volume } from './volume.ts';

export interface VirtualDiskOptions {
  readonly faults?: DiskFaults;
  readonly timing?: DiskTiming;
  /** Who allows damage. Without, nothing that was confirmed is ever destroyed. */
  readonly policy?: DamagePolicy;
  /** Told right after something durable was destroyed. */
  readonly onDamage?: (damage: Damage) => void;
  /** Told of every fault, damage included: for coverage. */
  readonly onFault?: (kind: DiskFaultKind, path: string) => void;
}

const ROT_TRIES = 8;

/** How a life ends: the process alone, or the power of its machine. */
export type CrashKind = 'process' | 'power';

export class VirtualDisk implements Disk {
  readonly background: DiskQueue;
  readonly #scheduler: DiskScheduler;
  readonly #stream: RandomStream;
  readonly #volume: Volume;
  readonly #timing: DiskTiming;
  readonly #policy: DamagePolicy;
  readonly #onDamage: (damage: Damage) => void;
  readonly #onFault: (kind: DiskFaultKind, path: string) => void;
  readonly #misfortunes: Misfortunes;
  readonly #log: VirtualQueue;
  readonly #bulk: VirtualQueue;
  #faults: DiskFaults;
  #stalledUntil = 0;
  #logStalledUntil = 0;
  #closed = false;
  #ended = false;

  /** A life on `volume`, which nothing else may use until `crash` hands on what is left of it. */
  constructor(scheduler: DiskScheduler, stream: RandomStream, volume: Volume, options: VirtualDiskOptions = {}) {
    this.#scheduler = scheduler;
    this.#stream = stream;
    this.#volume = volume;
    this.#faults = options.faults ?? healthyDisk;
    this.#timing = options.timing ?? defaultDiskTiming;
    this.#policy = options.policy ?? noDamage;
    const onFault = options.onFault ?? (() => undefined);
    const onDamage = options.onDamage ?? (() => undefined);
    this.#onFault = onFault;
    this.#onDamage = (damage) => {
      if (damage.kind !== 'diskLost') onFault(damage.kind, damage.path);
      onDamage(damage);
    };
    this.#misfortunes = new Misfortunes(this.#policy, this.#onDamage);
    this.#log = new VirtualQueue(this.#owner(() => Math.max(this.#stalledUntil, this.#logStalledUntil)));
    this.#bulk = new VirtualQueue(this.#owner(() => this.#stalledUntil));
    this.background = this.#bulk;
  }

  /** From now on the disk is this ill. What was stuck goes on if nothing gets stuck any more. */
  setFaults(faults: DiskFaults): void {
    this.#faults = faults;
    if (faults.stuck > 0) return;
    this.#log.release();
    this.#bulk.release();
  }

  /** Nothing is answered for so many microseconds. */
  stall(micros: number): void {
    this.#stalledUntil = Math.max(this.#stalledUntil, this.#scheduler.now() + micros);
  }

  /** The log's queue answers nothing for so many microseconds, while the background goes on. */
  stallLog(micros: number): void {
    this.#logStalledUntil = Math.max(this.#logStalledUntil, this.#scheduler.now() + micros);
  }

  /** The volume beneath: its capacity, and what others take of it, may be changed at any time. */
  get volume(): Volume {
    return this.#volume;
  }

  /**
   * This life ends here: nothing more is carried out or answered. Returns what the next life finds. A process that ends leaves what it
   * wrote, synced or not; a power cut leaves what was synced, and of the rest what chance keeps.
   */
  crash(kind: CrashKind): Volume {
    this.#ended = true;
    if (kind === 'process') return this.#volume;
    const survival = { kept: 0, lost: 0, torn: 0 };
    const left = this.#volume.cutPower(this.#stream, survival);
    if (survival.lost > 0) this.#onFault('crashLost', '');
    if (survival.torn > 0) this.#onFault('crashTorn', '');
    return left;
  }

  /**
   * Lets a sector or a page rot, somewhere on the disk where something stands. False if chance found no such place in a few tries, or
   * the policy does not allow the one that it found.
   */
  rot(): boolean {
    const { paths } = this.#volume;
    for (let tries = 0; tries < ROT_TRIES && paths.length > 0; tries++) {
      const path = this.#stream.pick(paths);
      const file = this.#volume.file(path);
      if (file === null || file.durable.length === 0) continue;
      const unit = this.#stream.below(4) === 0 ? PAGE_BYTES : SECTOR_BYTES;
      const offset = this.#stream.below(Math.ceil(file.durable.length / unit)) * unit;
      const length = Math.min(unit, file.durable.length - offset);
      // Nobody notices rot in what was never written.
      if (file.isDirty(offset, length) || file.durable.isZero(offset, length)) continue;
      return this.#rotAt(path, file, offset, length);
    }
    return false;
  }

  /**
   * Lets the data of entry `index` rot where it stands in the log: the sectors that it lies in, or that data alone if the policy
   * spares what lies beside it. False if it stands nowhere, has no data, is just being written, or must stay.
   */
  spoil(index: number): boolean {
    for (const path of this.#volume.paths.toSorted().toReversed()) {
      const segment = segmentOf(path);
      const file = segment === null ? null : this.#volume.file(path);
      if (segment === null || file === null) continue;
      const content = file.durable;
      const place = findEntry(segment, content.length, (at, length) => content.read(at, length), index);
      if (place !== null) return place.length > 0 && this.#spoilPlace(path, file, place.offset, place.length);
    }
    return false;
  }

  #spoilPlace(path: string, file: VirtualFile, offset: number, length: number): boolean {
    const first = Math.floor(offset / SECTOR_BYTES) * SECTOR_BYTES;
    const end = Math.min(Math.ceil((offset + length) / SECTOR_BYTES) * SECTOR_BYTES, file.durable.length);
    const isWide = this.#stream.below(2) === 0 && this.#rotAt(path, file, first, end - first);
    return isWide || this.#rotAt(path, file, offset, length);
  }

  /** False if it must stay. */
  #rotAt(path: string, file: VirtualFile, offset: number, length: number): boolean {
    if (file.isDirty(offset, length)) return false;
    if (!this.#policy.mayDamage({ path, offset, length, content: file.durable }, false)) return false;
    file.overwriteAtRest(offset, rotten(file.durable.read(offset, length), this.#stream));
    this.#onDamage({ kind: 'bitRot', path, offset, length });
    return true;
  }

  // -------------------------------------------------------------------------------------------------- the disk's interface

  submit(operations: readonly DiskOperation[], done: (error: DiskError | null) => void): void {
    this.#log.submit(operations, done);
  }

  read(path: string, offset: number, length: number, done: (error: DiskError | null, bytes: Uint8Array) => void): void {
    this.#log.read(path, offset, length, done);
  }

  list(path: string, done: (error: DiskError | null, names: readonly string[]) => void): void {
    this.#log.list(path, done);
  }

  size(path: string, done: (error: DiskError | null, bytes: number) => void): void {
    this.#log.size(path, done);
  }

  free(done: (error: DiskError | null, bytes: number) => void): void {
    this.#log.free(done);
  }

  hold(done: (error: DiskError | null) => void): void {
    this.#closed = false;
    this.#scheduler.after(1, () => {
      if (!this.#ended) done(null);
    });
  }

  close(done: () => void): void {
    this.#log.drain(() =>
      this.#bulk.drain(() => {
        this.#closed = true;
        done();
      }),
    );
  }

  // ------------------------------------------------------------------------------------------------------------- carrying out

  #owner(stalledUntil: () => number): QueueOwner {
    const ended = (): boolean => this.#ended;
    return {
      scheduler: this.#scheduler,
      get ended() {
        return ended();
      },
      stallLeft: () => stalledUntil() - this.#scheduler.now(),
      getsStuck: () => this.#strikes('stuck', ''),
      accessTime: () => this.#time(this.#timing.access),
      syncTime: () => this.#time(this.#timing.sync),
      carryOut: (operation) => this.#carryOut(operation),
      readNow: (path, offset, length) => this.#refusal(path) ?? this.#read(path, offset, length),
      listNow: (path) => this.#refusal(path) ?? this.#volume.list(path) ?? absent(path),
      sizeNow: (path) => this.#refusal(path) ?? this.#volume.file(path)?.visible.length ?? absent(path),
      freeNow: () => (this.#closed ? closed('') : this.#volume.free),
    };
  }

  #time([least, most]: readonly [number, number]): number {
    const time = this.#stream.between(least, most);
    return this.#strikes('slow', '') ? time + this.#stream.below(this.#faults.slowMicros + 1) : time;
  }

  #strikes(kind: Exclude<DiskFaultKind, 'full' | 'crashLost' | 'crashTorn'>, path: string): boolean {
    if (!this.#stream.chance(this.#faults[kind])) return false;
    // Damage is told when it is done: the policy may forbid it.
    if (kind !== 'bitRot' && kind !== 'lostWrite' && kind !== 'misdirectedWrite' && kind !== 'misdirectedRead')
      this.#onFault(kind, path);
    return true;
  }

  #carryOut(operation: DiskOperation): DiskError | null {
    const error = this.#tryOut(operation);
    return error === null ? null : { ...error, operation: operation.op };
  }

  #tryOut(operation: DiskOperation): DiskError | null {
    const path = operation.op === 'rename' ? operation.from : operation.path;
    if (this.#closed) return closed(path);
    switch (operation.op) {
      case 'write':
        if (this.#strikes('writeError', path)) return failed('EIO', 'the write failed', path);
        this.#strikeWrite(path, operation.offset, operation.bytes);
        break;
      case 'sync':
        if (this.#strikes('syncError', path)) {
          this.#volume.file(path)?.failSync(this.#stream);
          return failed('EIO', 'the sync failed', path);
        }
        break;
      default:
        break;
    }
    const code = this.#volume.carryOut(operation);
    if (operation.op === 'sync') this.#afterSync(path);
    if (code === 'ENOSPC') this.#onFault('full', path);
    return code === null ? null : failed(code, code === 'ENOSPC' ? 'no space left on the disk' : 'no such file', path);
  }

  /** Decides whether this write goes astray, before it is made. */
  #strikeWrite(path: string, offset: number, bytes: Uint8Array): void {
    const file = this.#volume.file(path);
    if (file === null) return;
    this.#misfortunes.onWrite(file, offset, bytes.length);
    if (this.#strikes('lostWrite', path)) {
      this.#misfortunes.strike(file, path, offset, bytes, null);
    } else if (this.#strikes('misdirectedWrite', path)) {
      const sectors = Math.floor(offset / SECTOR_BYTES);
      if (sectors === 0) return;
      const landing = this.#stream.below(sectors) * SECTOR_BYTES + (offset % SECTOR_BYTES);
      this.#misfortunes.strike(file, path, offset, bytes, landing);
    }
  }

  #afterSync(path: string): void {
    const file = this.#volume.file(path);
    if (file !== null) this.#misfortunes.onSync(file);
    if (this.#strikes('bitRot', path)) this.rot();
  }

  /** Why nothing is read now, or null. */
  #refusal(path: string): DiskError | null {
    if (this.#closed) return closed(path);
    return this.#strikes('readError', path) ? failed('EIO', 'the read failed', path) : null;
  }

  #read(path: string, offset: number, length: number): Uint8Array | DiskError {
    const file = this.#volume.file(path);
    if (file === null) return absent(path);
    const bytes = file.visible.read(offset, length);
    if (this.#strikes('misdirectedRead', path)) this.#misread(file, path, offset, bytes);
    return bytes;
  }

  /** One sector of what was read comes from another place of the file, where something stands. */
  #misread(file: VirtualFile, path: string, offset: number, bytes: Uint8Array): void {
    const firstSector = Math.ceil(offset / SECTOR_BYTES);
    const sectors = Math.floor((offset + bytes.length) / SECTOR_BYTES) - firstSector;
    if (sectors <= 0) return;
    const at = (firstSector + this.#stream.below(sectors)) * SECTOR_BYTES;
    const from = this.#stream.below(Math.floor(file.visible.length / SECTOR_BYTES)) * SECTOR_BYTES;
    if (at === from || file.visible.isZero(from, SECTOR_BYTES) || file.visible.isZero(at, SECTOR_BYTES)) return;
    if (!this.#policy.mayDamage({ path, offset: at, length: SECTOR_BYTES, content: file.durable }, false)) return;
    bytes.set(file.visible.read(from, SECTOR_BYTES), at - offset);
    this.#onFault('misdirectedRead', path);
  }
}

/** The bytes with some of their bits changed: one, or all of them. Never all zeros where something stood. */
function rotten(bytes: Uint8Array, stream: RandomStream): Uint8Array {
  if (stream.below(2) === 0) {
    const at = stream.below(bytes.length);
    const flipped = (bytes[at] ?? 0) ^ (1 << stream.below(8));
    bytes[at] = flipped === 0 ? 0xff : flipped;
    return bytes;
  }
  for (let at = 0; at < bytes.length; at++) bytes[at] = stream.below(256);
  return bytes;
}

function closed(path: string): DiskError {
  return failed('EIO', 'the disk was closed', path);
}

function absent(path: string): DiskError {
  return failed('ENOENT', 'no such file', path);
}

function failed(code: string, message: string, path: string): DiskError {
  return { code, message, path };
}
