import { type Histogram, quantile } from '@quorate/evaluation/load';

/** What one run of one target gave. Times in milliseconds. */
export interface Sample {
  readonly throughput: number;
  readonly p50: number;
  readonly p99: number;
  readonly generatorMicros: number | null;
  readonly failures: Readonly<Record<string, number>>;
}

/** One line of the table: the same load against every target. */
export interface Row {
  readonly generator: 'raw' | 'h2load';
  readonly work: 'put' | 'range';
  readonly clients: number;
  /** By target, the runs in order. */
  readonly samples: Readonly<Record<string, readonly Sample[]>>;
}

export interface Measured {
  readonly throughput: number;
  readonly p50: number;
  readonly p99: number;
}

export function toSample(
  run: { readonly operations: number; readonly seconds: number; readonly latencies: Histogram },
  generatorMicros: number | null,
  failures: Readonly<Record<string, number>>,
): Sample {
  return {
    throughput: run.operations / run.seconds,
    p50: quantile(run.latencies, 0.5) / 1000,
    p99: quantile(run.latencies, 0.99) / 1000,
    generatorMicros,
    failures,
  };
}

/** Each figure is the median over the runs, by itself. */
export function medians(samples: readonly Sample[]): Measured {
  return {
    throughput: median(samples.map((sample) => sample.throughput)),
    p50: median(samples.map((sample) => sample.p50)),
    p99: median(samples.map((sample) => sample.p99)),
  };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

const WORK_NAMES = { put: 'put', range: 'linearizable get' } as const;

export function heading(targets: readonly string[]): string {
  const columns = targets.map((target) => `${target.padStart(10)} ops/s   p50 ms   p99 ms`).join('  ');
  const ratios = targets.length > 1 ? `  ${'ops ×'.padStart(7)} ${'p99 ×'.padStart(7)}` : '';
  return `${'load'.padEnd(17)} ${'gen'.padEnd(6)} ${'clients'.padStart(7)}  ${columns}${ratios}`;
}

/** Ratios are of the first target to the second: more operations is better, a smaller p99 is better. */
export function line(row: Row, targets: readonly string[]): string {
  const measured = targets.map((target) => medians(row.samples[target] ?? []));
  const columns = measured
    .map(
      ({ throughput, p50, p99 }) =>
        `${throughput.toFixed(0).padStart(16)} ${p50.toFixed(2).padStart(8)} ${p99.toFixed(2).padStart(8)}`,
    )
    .join('  ');
  const [first, second] = measured;
  const ratios =
    first === undefined || second === undefined
      ? ''
      : `  ${(first.throughput / second.throughput).toFixed(2).padStart(7)} ${(first.p99 / second.p99).toFixed(2).padStart(7)}`;
  return `${WORK_NAMES[row.work].padEnd(17)} ${row.generator.padEnd(6)} ${String(row.clients).padStart(7)}  ${columns}${ratios}`;
}

/** Failures of a row in words, or null if every answer was OK. */
export function failureNote(row: Row): string | null {
  const notes = Object.entries(row.samples).flatMap(([target, samples]) =>
    samples.flatMap((sample) =>
      Object.entries(sample.failures).map(([status, count]) => `${target}: ${count} × ${status}`),
    ),
  );
  return notes.length === 0 ? null : `  not counted above: ${notes.join('; ')}`;
}
