/** What became of the requests of a load: in all, and interval by interval. */
import { type Histogram, newHistogram, quantile, record } from '../data/histogram.ts';
import { median, percentile } from '../data/statistics.ts';
import type { Interval, LoadResult, Pause } from './plan.ts';

/** A time without an answer that is shorter is no pause. Milliseconds. */
export const LEAST_PAUSE_MS = 10;

interface Open {
  reads: number;
  writes: number;
  refused: number;
  unknown: number;
  readonly latencies: number[];
  readonly readsByServer: number[];
}

/** Counts what was to be sent within its window. An answer belongs to the interval in which it came, a failure to that of its request. */
export class Tally {
  readonly #intervalMs: number;
  readonly #intervals: Open[] = [];
  readonly #late: number[] = [];
  readonly #reads: Histogram = newHistogram();
  readonly #writes: Histogram = newHistogram();
  readonly #totals = { reads: 0, writes: 0, refused: 0, unknown: 0, overflow: 0 };
  readonly #pauses: Pause[] = [];
  #from = 0;
  #to = 0;
  /** When the last answer came; the beginning before the first. */
  #lastAnswer = 0;

  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs;
  }

  /** The measured time, by `performance.now`. */
  window(from: number, to: number): void {
    this.#from = from;
    this.#to = to;
    this.#lastAnswer = from;
    const count = Math.ceil((to - from) / this.#intervalMs);
    for (let at = 0; at < count; at++)
      this.#intervals.push({ reads: 0, writes: 0, refused: 0, unknown: 0, latencies: [], readsByServer: [] });
  }

  /** Nothing more is to be sent from `now` on: the measured time ends there. */
  cut(now: number): void {
    this.#to = Math.max(this.#from, Math.min(this.#to, now));
    this.#intervals.length = Math.ceil((this.#to - this.#from) / this.#intervalMs);
  }

  /** `server`: which was asked, where they are asked one by one; else null. */
  answered(isRead: boolean, intended: number, ended: number, server: number | null): void {
    if (!this.#counts(intended)) return;
    this.#endPause(ended);
    const ms = ended - intended;
    record(isRead ? this.#reads : this.#writes, ms * 1000);
    this.#totals[isRead ? 'reads' : 'writes'] += 1;
    const interval = this.#intervalAt(ended);
    if (interval === undefined) return;
    interval[isRead ? 'reads' : 'writes'] += 1;
    interval.latencies.push(ms);
    if (isRead && server !== null) interval.readsByServer[server] = (interval.readsByServer[server] ?? 0) + 1;
  }

  failed(isUnknown: boolean, intended: number): void {
    if (!this.#counts(intended)) return;
    const what = isUnknown ? 'unknown' : 'refused';
    this.#totals[what] += 1;
    const interval = this.#intervalAt(intended);
    if (interval !== undefined) interval[what] += 1;
  }

  overflow(intended: number): void {
    if (this.#counts(intended)) this.#totals.overflow += 1;
  }

  late(ms: number, intended: number): void {
    if (this.#counts(intended)) this.#late.push(Math.max(0, ms));
  }

  /** `servers`: those that were asked one by one. */
  result(generatorMicros: number, servers: readonly string[]): LoadResult {
    this.#endPause(this.#to);
    return {
      beganAt: performance.timeOrigin + this.#from,
      seconds: (this.#to - this.#from) / 1000,
      ...this.#totals,
      readLatencies: this.#reads,
      writeLatencies: this.#writes,
      lateMs: this.#late.length === 0 ? 0 : median(this.#late),
      servers,
      pauses: this.#pauses,
      intervals: this.#intervals.map((interval, at) =>
        closed(interval, (at * this.#intervalMs) / 1000, servers.length),
      ),
      generatorMicros,
    };
  }

  #endPause(answered: number): void {
    const now = Math.min(answered, this.#to);
    const ms = now - this.#lastAnswer;
    if (ms >= LEAST_PAUSE_MS) this.#pauses.push({ at: (this.#lastAnswer - this.#from) / 1000, ms });
    this.#lastAnswer = Math.max(this.#lastAnswer, now);
  }

  #counts(intended: number): boolean {
    return intended >= this.#from && intended < this.#to;
  }

  #intervalAt(time: number): Open | undefined {
    return this.#intervals[Math.floor((time - this.#from) / this.#intervalMs)];
  }
}

function closed(open: Open, at: number, servers: number): Interval {
  const { reads, writes, refused, unknown, latencies } = open;
  const sorted = latencies.toSorted((a, b) => a - b);
  const of = (share: number): number | null => (sorted.length === 0 ? null : percentile(sorted, share));
  const readsByServer = Array.from({ length: servers }, (_, server) => open.readsByServer[server] ?? 0);
  return { at, reads, writes, refused, unknown, p50: of(0.5), p99: of(0.99), max: of(1), readsByServer };
}

/** Milliseconds; null where nothing was recorded. */
export function latencyMs(histogram: Histogram, share: number): number | null {
  const micros = quantile(histogram, share);
  return Number.isNaN(micros) ? null : Math.round(micros) / 1000;
}
