/**
 * Holds a data directory by a Unix-domain socket inside it. The system closes a dead process's socket, so that a lock never outlives its
 * holder, and a stale socket is told from a live one by connecting to it.
 */
import { closeSync, mkdirSync, openSync, renameSync, statSync, unlinkSync } from 'node:fs';
import { createServer, createConnection, type Server } from 'node:net';
import { join, relative } from 'node:path';
import type { DiskError } from '../environment.ts';

const LOCK_NAME = 'lock';

/** Longest path of a socket: 108 bytes on Linux, 104 elsewhere, with the zero at its end. */
const MAX_SOCKET_PATH = process.platform === 'linux' ? 107 : 103;

/** A few servers may start at once and clear the same stale socket away. */
const MAX_ATTEMPTS = 5;

export class DirectoryLock {
  readonly #directory: string;
  #server: Server | null = null;
  /** Keeps /proc/self/fd/… valid where the directory's own path is too long. */
  #descriptor: number | null = null;

  constructor(directory: string) {
    this.#directory = directory;
  }

  hold(done: (error: DiskError | null) => void): void {
    if (this.#server !== null) return void setImmediate(() => done(null));
    let path: string;
    try {
      mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
      path = this.#socketPath();
    } catch (error) {
      const failure = diskErrorOf(error);
      return void setImmediate(() => done(failure));
    }
    this.#listen(path, MAX_ATTEMPTS, done);
  }

  release(done: () => void): void {
    const server = this.#server;
    const descriptor = this.#descriptor;
    this.#server = null;
    this.#descriptor = null;
    const released = (): void => {
      if (descriptor !== null) closeSync(descriptor);
      done();
    };
    if (server === null) return void setImmediate(released);
    // Closing removes the socket's file, too.
    server.close(released);
  }

  /** A name of the socket that fits: as it is, from the working directory, or through an open directory. */
  #socketPath(): string {
    const absolute = join(this.#directory, LOCK_NAME);
    const fromHere = relative(process.cwd(), absolute);
    const fitting = [absolute, fromHere].find((path) => Buffer.byteLength(path) <= MAX_SOCKET_PATH);
    if (fitting !== undefined) return fitting;
    if (process.platform !== 'linux') {
      throw Object.assign(
        new Error(`The path is too long for a socket in it (${MAX_SOCKET_PATH} bytes): choose a shorter one.`),
        {
          code: 'ENAMETOOLONG',
        },
      );
    }
    this.#descriptor = openSync(this.#directory, 'r');
    return `/proc/self/fd/${this.#descriptor}/${LOCK_NAME}`;
  }

  #listen(path: string, attempts: number, done: (error: DiskError | null) => void): void {
    const server = createServer((connection) => connection.destroy());
    server.once('error', (error) => {
      if (diskErrorOf(error).code !== 'EADDRINUSE') return done(diskErrorOf(error));
      this.#probe(path, attempts, done);
    });
    server.listen(path, () => {
      server.removeAllListeners('error');
      // A held directory alone is no reason to keep a process alive.
      server.unref();
      this.#server = server;
      done(null);
    });
  }

  /** Somebody's socket is there. If nobody answers it any more, it is moved aside and the next attempt may succeed. */
  #probe(path: string, attempts: number, done: (error: DiskError | null) => void): void {
    const inode = inodeOf(path);
    const connection = createConnection(path);
    connection.once('connect', () => {
      connection.destroy();
      done({
        code: 'EBUSY',
        message: `another process listens on '${join(this.#directory, LOCK_NAME)}'`,
        path: LOCK_NAME,
      });
    });
    connection.once('error', (error) => {
      const { code } = diskErrorOf(error);
      if (code !== 'ECONNREFUSED' && code !== 'ENOENT') return done(diskErrorOf(error));
      if (attempts <= 1) return done({ code: 'EBUSY', message: 'other servers keep starting on it', path: LOCK_NAME });
      try {
        if (code === 'ECONNREFUSED' && inode !== null) clearStale(path, inode);
      } catch (failure) {
        return done(diskErrorOf(failure));
      }
      this.#listen(path, attempts - 1, done);
    });
  }
}

/**
 * Moves the stale socket aside before it is removed: should another starting server have replaced it by its own meanwhile, that one is
 * put back.
 */
function clearStale(path: string, inode: number): void {
  const aside = `${path}.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (diskErrorOf(error).code === 'ENOENT') return;
    throw error;
  }
  if (inodeOf(aside) === inode) unlinkSync(aside);
  else renameSync(aside, path);
}

function inodeOf(path: string): number | null {
  return statSync(path, { throwIfNoEntry: false })?.ino ?? null;
}

function diskErrorOf(error: unknown): DiskError {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'EIO';
  return { code, message: error instanceof Error ? error.message : String(error), path: LOCK_NAME };
}
