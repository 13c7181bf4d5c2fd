import type { Histogram } from '../data/histogram.ts';

/** A load: how many requests of what kind, sent how. Plain data, because it crosses processes. */
export interface LoadPlan {
  /** `host:port` of the servers. */
  readonly endpoints: readonly string[];
  /** `leader`: calls go to the leader once it is known. `each`: every server has clients of its own, which know no other. */
  readonly spread: 'leader' | 'each';
  /**
   * `client`: as programs do it, which finds the leader, repeats and gives up in time. `raw`: prepared frames to the endpoints as they are, which
   * costs a tenth of that and knows none of it; for servers that nothing happens to.
   */
  readonly generator: 'client' | 'raw';
  readonly pace: Pace;
  /** Measured time. What happens in the warm-up before it counts for nothing. */
  readonly seconds: number;
  readonly warmUpSeconds: number;
  /** Of a hundred requests. */
  readonly readPercent: number;
  readonly serializable: boolean;
  readonly valueBytes: number;
  /** Keys are drawn from this many. */
  readonly keys: number;
  /** A call without an answer by then has failed. Milliseconds. */
  readonly timeoutMs: number;
  /** Length of the intervals that are counted apart. Milliseconds. */
  readonly intervalMs: number;
  /** With `each`: asks the cluster for its members as it goes, and gives those that come their share. */
  readonly discover: boolean;
  readonly seed: number;
}

/**
 * `closed`: each client sends when its last request was answered, so that a slow server is asked less. `open`: requests come at a rate,
 * whatever the servers do, and their latency counts from when they were to be sent: what waits is in it (no coordinated omission).
 */
export type Pace =
  | { readonly kind: 'closed'; readonly clients: number }
  | { readonly kind: 'open'; readonly perSecond: number };

/** Requests of an open loop that may be under way at once; those that would exceed it count as `overflow`. */
export const MAX_OUTSTANDING = 5_000;

/** What ended in an interval. Latencies in milliseconds, of all answered requests; null where nothing was answered. */
export interface Interval {
  /** Its beginning, from the beginning of the measured time. Seconds. */
  readonly at: number;
  readonly reads: number;
  readonly writes: number;
  /** Definitely not done. */
  readonly refused: number;
  /** Perhaps done. */
  readonly unknown: number;
  readonly p50: number | null;
  readonly p99: number | null;
  readonly max: number | null;
  /** Reads by server, in the order of the result's `servers`. Empty unless they are asked one by one. */
  readonly readsByServer: readonly number[];
}

/** A time in which nothing was answered. */
export interface Pause {
  /** Its beginning, from the beginning of the measured time. Seconds. */
  readonly at: number;
  readonly ms: number;
}

export interface LoadResult {
  /** When the measured time began. Milliseconds since 1970, as finely as the clock tells. */
  readonly beganAt: number;
  /** Less than planned where the load was ended early. */
  readonly seconds: number;
  readonly reads: number;
  readonly writes: number;
  readonly refused: number;
  readonly unknown: number;
  /** Not sent, because too many were under way. Open loop only. */
  readonly overflow: number;
  readonly readLatencies: Histogram;
  readonly writeLatencies: Histogram;
  /** How much later than intended requests left the generator, at the median. Milliseconds; open loop only. */
  readonly lateMs: number;
  /** `host:port` of those that were asked one by one, in the order in which they were found. */
  readonly servers: readonly string[];
  readonly intervals: readonly Interval[];
  /** Those of at least `LEAST_PAUSE_MS`, in their order. */
  readonly pauses: readonly Pause[];
  /** CPU of the generator itself for each request. Microseconds. */
  readonly generatorMicros: number;
}
