import type { Origin } from '../machine/envelope.ts';

export interface KvServiceOptions {
  /** For response headers. */
  readonly clusterId: bigint;
  /** This server, as the origin of its commands; its member id also goes into response headers. */
  readonly origin: Origin;
  /**
   * Commands are numbered upward from here. It must be above what any earlier run of this origin used, as far as can be told;
   * the wall clock in microseconds is a good choice. Where it fails, the numbers known to the state machine still hold.
   */
  readonly sequenceFloor: number;
  /** The longest request that writes, in bytes. */
  readonly maxRequestBytes: number;
  /** Operations in a transaction's longest list; nested transactions count against what is left. */
  readonly maxTxnOperations: number;
  /** The longest response, in bytes. */
  readonly maxResponseBytes: number;
  /** The longest time that a request may take if the client does not say less. Microseconds. */
  readonly requestTimeout: number;
  /** Writes that may wait for their outcome, by number and by bytes. */
  readonly maxPendingWrites: number;
  readonly maxPendingWriteBytes: number;
  /** Writes are refused while the state machine is this many entries behind what is committed. */
  readonly maxApplyLag: number;
  /** Reads that may wait for confirmation. */
  readonly maxPendingReads: number;
  /** How long to wait before a read that found no leader asks again, unless one is heard of earlier. Microseconds. */
  readonly readRetryInterval: number;
  /** Large reads that run side by side, taking turns. */
  readonly maxActiveScans: number;
  /** Large reads that may wait for their turn to start. */
  readonly maxQueuedScans: number;
  /** How long large reads may hold the loop at a time. Microseconds. */
  readonly scanSliceTime: number;
}

export type KvServiceDefaults = Omit<KvServiceOptions, 'clusterId' | 'origin' | 'sequenceFloor'>;

export const defaultKvServiceOptions: KvServiceDefaults = {
  maxRequestBytes: 1.5 * 1024 * 1024,
  maxTxnOperations: 128,
  maxResponseBytes: 512 * 1024 * 1024,
  // etcd's: five seconds and two election timeouts.
  requestTimeout: 7_000_000,
  maxPendingWrites: 10_000,
  maxPendingWriteBytes: 256 * 1024 * 1024,
  maxApplyLag: 5_000,
  maxPendingReads: 20_000,
  readRetryInterval: 20_000,
  maxActiveScans: 8,
  maxQueuedScans: 10_000,
  scanSliceTime: 4_000,
};
