/** What happened in a run, second by second: the material of the report. Times are microseconds since its beginning. */
import type { OperationOutcome } from '@quorate/sim';
import type { FaultKind } from './faults.ts';

export interface FaultRecord {
  readonly kind: FaultKind;
  readonly targets: readonly string[];
  readonly from: number;
  /** Null while it lasts. */
  to: number | null;
}

/** One second of the run. */
export interface Second {
  reads: number;
  writes: number;
  refused: number;
  unknown: number;
  /** Of answered writes. Microseconds. */
  readonly latencies: number[];
}

/** A stretch of time in which a server was the same. */
export interface Stretch {
  readonly server: string;
  readonly state: string;
  readonly term: number;
  readonly from: number;
  to: number;
}

export interface Counts {
  ok: number;
  refused: number;
  unknown: number;
}

export class Journal {
  #origin = performance.now();
  readonly faults: FaultRecord[] = [];
  readonly seconds: Second[] = [];
  readonly stretches: Stretch[] = [];
  /** What came of calls, by the fault that was there when they ended; 'none' without. */
  readonly byFault = new Map<string, Counts>();
  /** When a write was answered after so long without one: from, to. */
  readonly gaps: { readonly from: number; readonly to: number }[] = [];
  readonly #last = new Map<string, Stretch>();
  #lastWrite = 0;

  /** The servers are up: the run begins now. To be called before anything is written down. */
  begin(): void {
    this.#origin = performance.now();
  }

  /** Whole microseconds since the beginning, never going back. */
  now(): number {
    return Math.round((performance.now() - this.#origin) * 1000);
  }

  faultBegins(kind: FaultKind, targets: readonly string[]): FaultRecord {
    const record = { kind, targets, from: this.now(), to: null };
    this.faults.push(record);
    return record;
  }

  ended(isWrite: boolean, called: number, outcome: OperationOutcome): void {
    const now = this.now();
    const second = this.#second(now);
    if (outcome.kind !== 'ok') second[outcome.kind]++;
    else if (isWrite) {
      second.writes++;
      second.latencies.push(now - called);
      this.#wrote(now);
    } else second.reads++;
    const present = this.faults.filter(({ to }) => to === null).map(({ kind }) => kind);
    for (const name of present.length === 0 ? ['none'] : new Set(present)) this.#count(name)[outcome.kind]++;
  }

  /** A server was seen in this state. */
  seen(server: string, state: string, term: number): void {
    const now = this.now();
    const last = this.#last.get(server);
    if (last !== undefined) last.to = now;
    if (last?.state === state && last.term === term) return;
    const stretch = { server, state, term, from: now, to: now };
    this.#last.set(server, stretch);
    this.stretches.push(stretch);
  }

  /** The clients have stopped; a gap that is open ends here. */
  loadEnds(): void {
    this.#wrote(this.now());
  }

  #wrote(now: number): void {
    if (now - this.#lastWrite >= LEAST_GAP_MICROS) this.gaps.push({ from: this.#lastWrite, to: now });
    this.#lastWrite = now;
  }

  #second(now: number): Second {
    const at = Math.floor(now / 1_000_000);
    while (this.seconds.length <= at) {
      this.seconds.push({ reads: 0, writes: 0, refused: 0, unknown: 0, latencies: [] });
    }
    const second = this.seconds[at];
    if (second === undefined) throw new RangeError('A second is missing.');
    return second;
  }

  #count(name: string): Counts {
    const counts = this.byFault.get(name) ?? { ok: 0, refused: 0, unknown: 0 };
    this.byFault.set(name, counts);
    return counts;
  }
}

/** Shorter pauses between answered writes are no gap. */
export const LEAST_GAP_MICROS = 500_000;
