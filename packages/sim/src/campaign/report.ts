/** What a campaign keeps of a run: plain data, small enough to pass between threads a hundred thousand times. */
import { explainHtml } from '../linearizability/index.ts';
import { endingOf, type PlanTrace } from '../trace/plan.ts';
import type { RunLimits } from '../swarm/options.ts';
import { runSeed, type SeedResult, type WatcherFactory } from './run-seed.ts';
import { runTwice } from './twice.ts';

export interface SeedReport {
  readonly seed: number;
  readonly servers: number;
  readonly failure: Failure | null;
  /** With a failure: what it takes to have it again. */
  readonly failed: PlanTrace | null;
  /** With a history that is not linearizable: the page that shows why. */
  readonly explanation: string | null;
  readonly virtualMicros: number;
  readonly steps: number;
  readonly stateHash: number;
  readonly counts: readonly (readonly [name: string, count: number])[];
  /** It was run twice, and went the same way. */
  readonly twice: boolean;
}

export interface Failure {
  /** `safety`: an invariant was broken. `liveness`: a healed cluster is stuck. `crash`: something threw. */
  readonly kind: 'safety' | 'liveness' | 'crash';
  readonly invariant: string;
  readonly first: string;
  readonly second: string;
  /** The newest lines that servers logged. */
  readonly lines: readonly string[];
}

/** One run in so many is made twice. */
const TWICE_IN = 20;

export function reportSeed(seed: number, limits: RunLimits, watch: WatcherFactory): SeedReport {
  const twice = seed % TWICE_IN === 0;
  const result = twice ? runTwice(seed, limits, watch) : runSeed(seed, limits, watch);
  const failure = failureOf(result);
  const { options, actions } = result;
  return {
    seed,
    servers: options.servers,
    failure,
    failed: failure === null ? null : { plan: { seed, options, actions }, ending: endingOf(result) },
    explanation: explanationOf(result),
    virtualMicros: result.virtualMicros,
    steps: result.steps,
    stateHash: result.stateHash,
    counts: [...result.counts],
    twice,
  };
}

/** With what was done to the world meanwhile. */
function explanationOf({ seed, unplaced, actions }: SeedResult): string | null {
  if (unplaced === null) return null;
  const faults = actions.map(({ at, kind }) => ({ at, text: kind }));
  return explainHtml(unplaced, `seed ${seed}: not linearizable`, faults);
}

function failureOf({ violation, crash, lines }: SeedResult): Failure | null {
  const text = lines.map(({ at, server, level, message }) => `${at} ${server.replace(/^0+/, '')} ${level} ${message}`);
  if (crash !== null) return { kind: 'crash', invariant: '', first: crash, second: '', lines: text };
  if (violation === null) return null;
  const { invariant, first, second } = violation;
  return { kind: invariant.startsWith('H') ? 'liveness' : 'safety', invariant, first, second, lines: text };
}

/** Counts of many runs, by name. */
export class Totals {
  runs = 0;
  twice = 0;
  virtualMicros = 0;
  steps = 0;
  readonly counts = new Map<string, number>();

  add(report: SeedReport): void {
    this.runs++;
    if (report.twice) this.twice++;
    this.virtualMicros += report.virtualMicros;
    this.steps += report.steps;
    for (const [name, count] of report.counts) this.counts.set(name, (this.counts.get(name) ?? 0) + count);
  }
}
