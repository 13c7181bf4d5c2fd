import type { Logger, RaftError, RaftNode } from '@quorate/runtime';
import type { DebugTopics } from './log/debug-topics.ts';

/** A server that runs. */
export interface RunningServer {
  readonly memberId: bigint;
  readonly clusterId: bigint;
  /** `host:port` that clients reach, as bound (a requested port 0 is replaced). */
  readonly clientAddresses: readonly string[];
  readonly node: RaftNode;
  /** `--debug`, switchable. */
  readonly topics: DebugTopics;
  /** Writes into the server's own log. */
  readonly logger: Logger;
  /** Resolves when the server has first found its cluster able to decide and has published itself; never if it stops before. */
  readonly ready: Promise<void>;
  /** Resolves when everything is released: with null after `close`, with the reason if the server had to stop. */
  readonly stopped: Promise<RaftError | null>;
  /** Takes nothing new, finishes what is in flight, closes files: within two seconds. May be called again. */
  close(): Promise<void>;
}

/** The server could not start. `message` says why and what to do. */
export class StartError extends Error {
  override readonly name = 'StartError';
  readonly code = 'ClientPortUnavailable';
}
