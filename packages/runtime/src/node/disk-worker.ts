/** The thread behind one queue of the disk. Synchronous calls only: there is nothing else for it to do meanwhile. */
import {
  closeSync,
  constants,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  statfsSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import type { DiskError, DiskOperation } from '../environment.ts';

export type DiskRequest =
  | { readonly kind: 'submit'; readonly operations: readonly DiskOperation[] }
  | { readonly kind: 'read'; readonly path: string; readonly offset: number; readonly length: number }
  | { readonly kind: 'list'; readonly path: string }
  | { readonly kind: 'size'; readonly path: string }
  | { readonly kind: 'free' }
  | { readonly kind: 'exit' };

export interface DiskReply {
  readonly error: DiskError | null;
  readonly bytes?: Uint8Array;
  readonly names?: readonly string[];
  readonly number?: number;
}

const ZERO_BYTES = 1 << 20;

export interface DiskThreadOptions {
  readonly directory: string;
  /**
   * Keep the file written last open from one submission to the next: for the log that is the active segment. Only for the thread of
   * the log: a name that the other one remembers may by now mean another file.
   */
  readonly keepsOpen: boolean;
}

class DiskThread {
  readonly #directory: string;
  readonly #keepsOpen: boolean;
  #open: { readonly path: string; readonly fd: number } | null = null;

  constructor(options: DiskThreadOptions) {
    this.#directory = options.directory;
    this.#keepsOpen = options.keepsOpen;
  }

  answer(request: Exclude<DiskRequest, { kind: 'exit' }>): DiskReply {
    try {
      return this.#answer(request);
    } catch (error) {
      return { error: diskError(error, 'path' in request ? request.path : '') };
    } finally {
      if (!this.#keepsOpen) this.close();
    }
  }

  close(): void {
    if (this.#open !== null) closeSync(this.#open.fd);
    this.#open = null;
  }

  #answer(request: Exclude<DiskRequest, { kind: 'exit' }>): DiskReply {
    switch (request.kind) {
      case 'submit':
        return this.#carryOutAll(request.operations);
      case 'read':
        return { error: null, bytes: this.#read(request.path, request.offset, request.length) };
      case 'list':
        return { error: null, names: readdirSync(this.#absolute(request.path)).sort() };
      case 'size':
        return { error: null, number: statSync(this.#absolute(request.path)).size };
      case 'free':
        return { error: null, number: this.#free() };
    }
  }

  /** Stops at the first failure. */
  #carryOutAll(operations: readonly DiskOperation[]): DiskReply {
    for (const operation of operations) {
      try {
        this.#carryOut(operation);
      } catch (error) {
        const path = operation.op === 'rename' ? operation.from : operation.path;
        return { error: { ...diskError(error, path), operation: operation.op } };
      }
    }
    return OK;
  }

  #carryOut(operation: DiskOperation): void {
    switch (operation.op) {
      case 'write':
        return writeWhole(this.#descriptor(operation.path), operation.bytes, operation.offset);
      case 'sync':
        return fdatasyncSync(this.#descriptor(operation.path));
      case 'syncDirectory':
        return this.#syncDirectory(operation.path);
      case 'allocate':
        return fillWithZeros(this.#descriptor(operation.path), operation.length);
      case 'truncate':
        return ftruncateSync(this.#descriptor(operation.path), operation.length);
      case 'rename':
        this.close();
        return renameSync(this.#absolute(operation.from), this.#absolute(operation.to));
      case 'remove':
        this.close();
        return this.#remove(operation.path);
      case 'makeDirectory':
        mkdirSync(this.#absolute(operation.path), { recursive: true });
    }
  }

  #absolute(path: string): string {
    return join(this.#directory, path);
  }

  #descriptor(path: string): number {
    if (this.#open?.path === path) return this.#open.fd;
    this.close();
    const fd = openSync(this.#absolute(path), constants.O_RDWR | constants.O_CREAT, 0o600);
    this.#open = { path, fd };
    return fd;
  }

  #read(path: string, offset: number, length: number): Uint8Array {
    const fd = openSync(this.#absolute(path), 'r');
    try {
      const left = Math.max(0, fstatSync(fd).size - offset);
      const bytes = new Uint8Array(Math.min(length, left));
      let read = 0;
      while (read < bytes.length) {
        const got = readSync(fd, bytes, read, bytes.length - read, offset + read);
        if (got === 0) return bytes.slice(0, read);
        read += got;
      }
      return bytes;
    } finally {
      closeSync(fd);
    }
  }

  #free(): number {
    const { bavail, bsize } = statfsSync(this.#directory);
    return bavail * bsize;
  }

  #syncDirectory(path: string): void {
    const fd = openSync(this.#absolute(path), 'r');
    try {
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  }

  #remove(path: string): void {
    try {
      unlinkSync(this.#absolute(path));
    } catch (error) {
      if (diskError(error, path).code !== 'ENOENT') throw error;
    }
  }
}

const OK: DiskReply = { error: null };

function writeWhole(fd: number, bytes: Uint8Array, offset: number): void {
  for (let written = 0; written < bytes.length; ) {
    written += writeSync(fd, bytes, written, bytes.length - written, offset + written);
  }
}

/** Real zeros, not a promise of them: writing over them later needs no change to the file system's own records. */
function fillWithZeros(fd: number, length: number): void {
  const zeros = new Uint8Array(ZERO_BYTES);
  for (let at = fstatSync(fd).size; at < length; at += ZERO_BYTES) {
    writeWhole(fd, zeros.subarray(0, Math.min(ZERO_BYTES, length - at)), at);
  }
}

function diskError(error: unknown, path: string): DiskError {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'EIO';
  return { code, message: error instanceof Error ? error.message : String(error), path };
}

function serve(): void {
  const port = parentPort;
  if (port === null) throw new Error('The disk thread must be started as a worker thread.');
  const thread = new DiskThread(workerData as DiskThreadOptions);
  port.on('message', (request: DiskRequest) => {
    if (request.kind === 'exit') {
      thread.close();
      port.close();
      return;
    }
    const reply = thread.answer(request);
    const buffer = reply.bytes?.buffer;
    port.postMessage(reply, buffer instanceof ArrayBuffer ? [buffer] : []);
  });
}

serve();
