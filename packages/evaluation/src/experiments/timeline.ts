/** A load that goes on while things happen to a cluster, and when they happened. */
import type { Row } from '../experiment.ts';
import type { Harness } from '../harness/harness.ts';
import type { LoadPlan, LoadResult, Pause } from '../load/plan.ts';
import { eventLines, eventWords } from '../plots/events.ts';
import type { Figure } from '../plots/figure.ts';

/** The longest that a script may take: then its load ends by itself. */
const MAX_SECONDS = 3_600;

export class Timeline {
  readonly #harness: Harness;
  readonly #events: { readonly time: number; readonly what: string }[] = [];

  private constructor(harness: Harness) {
    this.#harness = harness;
  }

  /**
   * Runs the script under the load, from its warm-up's end to its own. Records an `interval` row for each stretch of time, an `event` row for
   * each mark, and how long nobody was answered after it. Resolves when both are over.
   */
  static async run(
    harness: Harness,
    plan: Omit<LoadPlan, 'seconds'>,
    script: (timeline: Timeline) => Promise<void>,
    record: (row: Row) => void = (row) => harness.record(row),
  ): Promise<void> {
    const timeline = new Timeline(harness);
    const enough = new AbortController();
    let onBegun = (_time: number): void => undefined;
    const begun = new Promise<number>((resolve) => (onBegun = resolve));
    const load = harness.load({ ...plan, seconds: MAX_SECONDS }, { enough: enough.signal, onBegun });
    const play = async (): Promise<void> => {
      try {
        // The generator may need seconds to start and connect on a busy machine; what happens before it measures would not be seen.
        const beganAt = await Promise.race([begun, load.then((early) => early.beganAt)]);
        await harness.wait(Math.max(0, beganAt - timeline.now));
        await script(timeline);
      } finally {
        enough.abort();
      }
    };
    // Whichever fails, the other ends first: a script must not go on to start servers when its cell is over.
    const [loaded, played] = await Promise.allSettled([load, play()]);
    if (played.status === 'rejected') throw played.reason;
    if (loaded.status === 'rejected') throw loaded.reason;
    const result = loaded.value;
    record({ kind: 'began', time: result.beganAt });
    for (const { readsByServer, ...interval } of result.intervals) {
      const reads = readsByServer.map((count, at) => [`reads:${result.servers[at]}`, count] as const);
      record({ kind: 'interval', ...interval, seconds: plan.intervalMs / 1000, ...Object.fromEntries(reads) });
    }
    for (const row of eventRows(timeline.#events, result)) record(row);
  }

  /** Milliseconds since 1970, as finely as the clock tells. */
  get now(): number {
    return performance.timeOrigin + performance.now();
  }

  /** Something happens now, or happened at `time`; returns when that is. */
  mark(what: string, time: number = this.now): number {
    this.#events.push({ time, what });
    return time;
  }

  async wait(seconds: number): Promise<void> {
    await this.#harness.wait(seconds * 1000);
  }
}

/** Each event, and the longest time between it and the next one in which nobody was answered. */
export function eventRows(
  events: readonly { readonly time: number; readonly what: string }[],
  { beganAt, seconds, pauses }: Pick<LoadResult, 'beganAt' | 'seconds' | 'pauses'>,
): readonly Row[] {
  return events.map(({ time, what }, nth) => {
    const at = (time - beganAt) / 1000;
    const next = events[nth + 1];
    const until = next === undefined ? seconds : (next.time - beganAt) / 1000;
    return { kind: 'event', at, what, pauseMs: longestPause(pauses, at, until) };
  });
}

/** The longest pause between these two moments: what lies beyond them does not count. Milliseconds. */
function longestPause(pauses: readonly Pause[], from: number, until: number): number {
  const within = pauses.map(({ at, ms }) => Math.min(until, at + ms / 1000) - Math.max(from, at));
  return 1000 * Math.max(0, ...within);
}

/** Writes a second over time, with what happened. `rows`: of one cell. */
export function timelineFigure(
  rows: readonly Row[],
  words: Pick<Figure, 'id' | 'title' | 'caption' | 'missing'>,
): Figure {
  const intervals = rows
    .filter((row) => row['kind'] === 'interval')
    .map((row) => ({
      part: 'interval',
      at: row['at'] ?? null,
      perSecond: Number(row['writes']) / Number(row['seconds']),
      p99: row['p99'] ?? null,
    }));
  const events = rows
    .filter((row) => row['kind'] === 'event')
    .map((row) => ({ part: 'event', at: row['at'] ?? null, what: row['what'] ?? '' }));
  const x = { field: 'at', type: 'quantitative', title: 'time (s)' };
  const lines = eventLines(x, '#d55e00');
  const over = { transform: [{ filter: "datum.part === 'interval'" }] };
  return {
    ...words,
    spec: {
      data: { values: [...intervals, ...events] },
      vconcat: [
        {
          width: 900,
          height: 200,
          layer: [
            {
              ...over,
              mark: { type: 'area', interpolate: 'step-after', opacity: 0.45, line: true },
              encoding: { x, y: { field: 'perSecond', type: 'quantitative', title: 'writes (1/s)' } },
            },
            lines,
            eventWords(x, '#6b2f00'),
          ],
        },
        {
          width: 900,
          height: 130,
          layer: [
            {
              ...over,
              mark: { type: 'point', filled: true, size: 14, opacity: 0.7 },
              encoding: {
                x,
                y: { field: 'p99', type: 'quantitative', title: 'p99 latency (ms)', scale: { type: 'log' } },
              },
            },
            lines,
          ],
        },
      ],
    },
  };
}
