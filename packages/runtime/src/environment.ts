/**
 * The seam between the runtime and the world. Everything that could make two runs differ (time, chance, disks, networks)
 * comes through here, so that the simulator can put its own world in the place of Node.js.
 *
 * Calls that take time take a callback. It is called exactly once, later, from the event loop, never from inside the call;
 * what it does enters the node's input queue. No promise stands between an input and its effects.
 */

export interface Environment {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: RandomSource;
  readonly disk: Disk;
  readonly network: Network;
  readonly logger: Logger;
}

export interface Clock {
  /** Monotonic time in whole microseconds. Only differences mean anything. */
  now(): number;
  /** Milliseconds since 1970. For people (log lines, reports) and nothing else. */
  wallTime(): number;
}

export interface Timers {
  /** Calls back once, no earlier than `delay` microseconds from now. */
  set(delay: number, callback: () => void): TimerHandle;
  clear(handle: TimerHandle): void;
  /** Calls back after the events that have already arrived were delivered (in Node.js: after one more poll). */
  afterPoll(callback: () => void): void;
}
export type TimerHandle = object | number;

export interface RandomSource {
  /** A uniformly drawn unsigned 32-bit integer. */
  uint32(): number;
}

// ---------------------------------------------------------------------------------------------------------------- disk

/**
 * A queue of operations on the node's data directory. Paths are relative to it, separated by '/'. Operations of one queue are
 * carried out in the order of submission. A failed operation reports and stops its own list; it never throws.
 */
export interface DiskQueue {
  /** Carries out `operations` in order as one submission; stops at the first failure. One callback for the whole list. */
  submit(operations: readonly DiskOperation[], done: (error: DiskError | null) => void): void;
  /** Reads up to `length` bytes; fewer only at the end of the file. The bytes belong to the caller. */
  read(path: string, offset: number, length: number, done: (error: DiskError | null, bytes: Uint8Array) => void): void;
  /** Names in a directory, sorted; an absent directory is an error with code `ENOENT`. */
  list(path: string, done: (error: DiskError | null, names: readonly string[]) => void): void;
  /** Size in bytes; an absent file is an error with code `ENOENT`. */
  size(path: string, done: (error: DiskError | null, bytes: number) => void): void;
  /** Bytes that may still be written to the volume. */
  free(done: (error: DiskError | null, bytes: number) => void): void;
}

/**
 * The node's data directory. The disk itself is the queue of the log: nothing but short writes and their syncs goes there.
 * Everything bulky (reads, snapshots, allocation, removal) goes through `background`, which never delays it.
 */
export interface Disk extends DiskQueue {
  /** A second queue over the same files. No order holds between the two but what callbacks enforce. */
  readonly background: DiskQueue;
  /**
   * Claims the directory for this disk until `close`, creating it if absent; claiming again is no error. Fails with code
   * `EBUSY` while another process, or another disk of this one, holds it.
   */
  hold(done: (error: DiskError | null) => void): void;
  /** Finishes what was submitted, gives the directory up and releases threads and files. Until `hold` everything fails then. */
  close(done: () => void): void;
}

export type DiskOperation =
  /** Writes at an offset, creating the file if absent. The bytes belong to the disk from here on. */
  | { readonly op: 'write'; readonly path: string; readonly offset: number; readonly bytes: Uint8Array }
  /** Makes the file's written bytes durable (fdatasync). */
  | { readonly op: 'sync'; readonly path: string }
  /** Makes creations, renames and removals in a directory durable. '' is the data directory itself. */
  | { readonly op: 'syncDirectory'; readonly path: string }
  /** Creates the file if absent and fills it with zeros from its end up to `length`. */
  | { readonly op: 'allocate'; readonly path: string; readonly length: number }
  | { readonly op: 'truncate'; readonly path: string; readonly length: number }
  | { readonly op: 'rename'; readonly from: string; readonly to: string }
  /** Removes a file; an absent one is no error. */
  | { readonly op: 'remove'; readonly path: string }
  /** Creates a directory with its parents; an existing one is no error. */
  | { readonly op: 'makeDirectory'; readonly path: string };

export interface DiskError {
  /** The system's code: ENOENT, ENOSPC, EIO, … */
  readonly code: string;
  readonly message: string;
  readonly path: string;
  /** Which of the submitted operations failed; absent for other calls, or when none was reached. */
  readonly operation?: DiskOperation['op'];
}

// ------------------------------------------------------------------------------------------------------------- network

/** Streams of bytes between processes. Knows addresses, not members. */
export interface Network {
  /** Starts to connect. The outcome arrives through the handler: `onOpen`, or `onClose` with a reason. */
  connect(address: string, handler: ConnectionHandler): Connection;
  /** Starts to listen. `onListening` or `onError` follows. */
  listen(address: string, handler: ListenerHandler): Listener;
}

export interface Connection {
  /** For messages to people only. */
  readonly remoteAddress: string;
  /** Queues bytes. They belong to the connection from here on. Chunks queued in one turn leave in one write. */
  write(bytes: Uint8Array): void;
  /** Bytes queued and not yet taken by the system. Who queues must watch it: nothing here blocks. */
  readonly bufferedBytes: number;
  /** Ask for one `onDrain` when `bufferedBytes` next falls to zero. */
  notifyDrain(): void;
  /** Stop or go on reading (back-pressure on the sender). */
  pause(): void;
  resume(): void;
  /** Sends what is queued, then closes. */
  end(): void;
  /** Closes at once. */
  destroy(): void;
}

export interface ConnectionHandler {
  onOpen(): void;
  /** The bytes belong to the receiver. */
  onData(bytes: Uint8Array): void;
  onDrain(): void;
  /**
   * Called exactly once; `reason` is null after an orderly end. `isRefused`: the other machine answered, and nobody listens at the
   * address.
   */
  onClose(reason: string | null, isRefused: boolean): void;
}

export interface Listener {
  close(): void;
}

export interface ListenerHandler {
  /** With the address actually bound (a requested port 0 is replaced). */
  onListening(address: string): void;
  onError(reason: string): void;
  /** Returns the handler of the accepted connection, which is open already: no `onOpen` follows. */
  onConnection(connection: Connection): ConnectionHandler;
}

// -------------------------------------------------------------------------------------------------------------- logger

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Lines for operators. `fields` are printed as key=value or JSON; values are plain data. */
export interface Logger {
  log(level: LogLevel, message: string, fields?: Readonly<Record<string, unknown>>): void;
}
