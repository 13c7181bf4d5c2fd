/**
 * The disk on Node.js: two worker threads over one directory, each carrying out its queue in order with synchronous calls. A submission
 * is one message there and one back. The pool of libuv, which name look-ups and password hashes may fill, is not used.
 */
import { Worker } from 'node:worker_threads';
import type { Disk, DiskError, DiskOperation, DiskQueue } from '../environment.ts';
import { DirectoryLock } from './directory-lock.ts';
import type { DiskReply, DiskRequest, DiskThreadOptions } from './disk-worker.ts';

/** The disk of a data directory. The directory is created by `hold`; threads start when they are first needed. */
export function openNodeDisk(directory: string): Disk {
  return new NodeDisk(directory);
}

class NodeDisk implements Disk {
  readonly background: DiskQueue;
  readonly #log: WorkerQueue;
  readonly #bulk: WorkerQueue;
  readonly #lock: DirectoryLock;

  constructor(directory: string) {
    this.#lock = new DirectoryLock(directory);
    this.#log = new WorkerQueue('log', { directory, keepsOpen: true });
    this.#bulk = new WorkerQueue('background', { directory, keepsOpen: false });
    this.background = this.#bulk;
  }

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
    this.#log.reopen();
    this.#bulk.reopen();
    this.#lock.hold(done);
  }

  close(done: () => void): void {
    this.#log.close(() => this.#bulk.close(() => this.#lock.release(done)));
  }
}

type Waiting = (reply: DiskReply) => void;

const NO_BYTES = new Uint8Array(0);

class WorkerQueue implements DiskQueue {
  readonly #name: string;
  readonly #options: DiskThreadOptions;
  #thread: DiskThread | null = null;
  #closed = false;

  constructor(name: string, options: DiskThreadOptions) {
    this.#name = name;
    this.#options = options;
  }

  submit(operations: readonly DiskOperation[], done: (error: DiskError | null) => void): void {
    const transfer: ArrayBuffer[] = [];
    for (const operation of operations) {
      if (operation.op !== 'write') continue;
      // Bytes that have a buffer to themselves move to the thread; a part of a larger one is copied with the message.
      const { buffer, byteLength } = operation.bytes;
      if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) transfer.push(buffer);
    }
    this.#send({ kind: 'submit', operations }, transfer, (reply) => done(reply.error));
  }

  read(path: string, offset: number, length: number, done: (error: DiskError | null, bytes: Uint8Array) => void): void {
    this.#send({ kind: 'read', path, offset, length }, [], (reply) => done(reply.error, reply.bytes ?? NO_BYTES));
  }

  list(path: string, done: (error: DiskError | null, names: readonly string[]) => void): void {
    this.#send({ kind: 'list', path }, [], (reply) => done(reply.error, reply.names ?? []));
  }

  size(path: string, done: (error: DiskError | null, bytes: number) => void): void {
    this.#send({ kind: 'size', path }, [], (reply) => done(reply.error, reply.number ?? 0));
  }

  free(done: (error: DiskError | null, bytes: number) => void): void {
    this.#send({ kind: 'free' }, [], (reply) => done(reply.error, reply.number ?? 0));
  }

  reopen(): void {
    this.#closed = false;
  }

  /** Waits for what was submitted, then ends the thread. */
  close(done: () => void): void {
    const thread = this.#thread;
    this.#closed = true;
    this.#thread = null;
    if (thread === null) setImmediate(done);
    else thread.close(done);
  }

  #send(request: DiskRequest, transfer: ArrayBuffer[], waiting: Waiting): void {
    if (this.#closed) return void setImmediate(waiting, failed('the disk was closed'));
    this.#thread ??= new DiskThread(this.#name, this.#options);
    this.#thread.send(request, transfer, waiting);
  }
}

class DiskThread {
  readonly #worker: Worker;
  /** In the order of the requests, which is the order of the replies. */
  #waiting: Waiting[] = [];
  /** Why the thread is no more. */
  #ended: string | null = null;
  #onExit: (() => void) | null = null;

  constructor(name: string, options: DiskThreadOptions) {
    // What the program itself was started with (`--input-type`, loaders, `--inspect`) is none of the thread's business.
    this.#worker = new Worker(workerFile(), { workerData: options, name: `quorate-disk-${name}`, execArgv: [] });
    let reason = 'its thread ended';
    this.#worker.on('message', (reply: DiskReply) => this.#waiting.shift()?.(reply));
    this.#worker.on('error', (error) => {
      reason = `its thread failed: ${error instanceof Error ? error.message : String(error)}`;
    });
    this.#worker.on('exit', () => this.#exited(reason));
  }

  send(request: DiskRequest, transfer: ArrayBuffer[], waiting: Waiting): void {
    if (this.#ended !== null) return void setImmediate(waiting, failed(this.#ended));
    this.#waiting.push(waiting);
    this.#worker.postMessage(request, transfer);
  }

  close(done: () => void): void {
    if (this.#ended !== null) return void setImmediate(done);
    this.#onExit = done;
    this.#worker.postMessage({ kind: 'exit' } satisfies DiskRequest, []);
  }

  /** Nothing may be left waiting for ever: what a dead thread did not answer has failed. */
  #exited(reason: string): void {
    this.#ended = reason;
    const unanswered = this.#waiting;
    this.#waiting = [];
    for (const waiting of unanswered) waiting(failed(reason));
    this.#onExit?.();
  }
}

function failed(reason: string): DiskReply {
  return { error: { code: 'EIO', message: reason, path: '' } };
}

/** A thread cannot run TypeScript on every supported Node.js: when this file runs from its source, the thread takes the compiled one. */
function workerFile(): URL {
  const fromSource = import.meta.url.endsWith('.ts');
  return new URL(fromSource ? '../../dist/node/disk-worker.js' : './disk-worker.js', import.meta.url);
}
