import { readFileSync } from 'node:fs';
import type { LocalServer } from '@quorate/processes';
import { median } from '../bench/report.ts';
import type { Trial } from './trial.ts';

/** What a failover took, in milliseconds from the kill. */
export interface Failover {
  readonly killed: string;
  /** The first survivor stood for election. */
  readonly detection: number;
  /** A survivor had won it. */
  readonly votes: number;
  /** The first write that was sent after the kill was acknowledged. */
  readonly commit: number;
}

/** Reads the survivors' `--debug votes` lines to see when each step of a failover happened. */
export class FailoverClock {
  readonly #trial: Trial;

  constructor(trial: Trial) {
    this.#trial = trial;
  }

  /** Where the survivors' logs end and how their clocks stand, to be taken right before the kill. */
  async mark(): Promise<Mark[]> {
    const marks: Mark[] = [];
    for (const server of this.#trial.running) {
      const asked = performance.now();
      const page = await this.#trial.page(server);
      const answered = performance.now();
      if (page === null) continue;
      const startedAt = (asked + answered) / 2 - page.uptimeMs;
      marks.push({ server, startedAt, logLength: readFileSync(server.process.spec.logFile).length });
    }
    return marks;
  }

  /** The steps after a kill at `killedAt`; steps that left no line are NaN. */
  measure(killed: LocalServer, killedAt: number, marks: readonly Mark[], commitAt: number): Failover {
    const lines = marks.filter(({ server }) => server !== killed).flatMap(linesSince);
    const after = lines.filter(({ at }) => at >= killedAt && at <= commitAt).toSorted((a, b) => a.at - b.at);
    const first = after[0];
    const granted = after.filter(({ text }) => /grant/.test(text)).at(-1);
    return {
      killed: killed.member.name,
      detection: (first?.at ?? Number.NaN) - killedAt,
      votes: (granted?.at ?? Number.NaN) - killedAt,
      commit: commitAt - killedAt,
    };
  }
}

export interface Mark {
  readonly server: LocalServer;
  /** The server's start by this process's clock: its log counts from there. */
  readonly startedAt: number;
  readonly logLength: number;
}

interface VoteLine {
  readonly at: number;
  readonly text: string;
}

function linesSince({ server, startedAt, logLength }: Mark): VoteLine[] {
  const added = readFileSync(server.process.spec.logFile).subarray(logLength).toString('utf8');
  return added.split('\n').flatMap((line) => {
    if (!line.startsWith('{"topic":"votes"')) return [];
    const { elapsed, msg } = JSON.parse(line) as { readonly elapsed: number; readonly msg: string };
    return [{ at: startedAt + elapsed * 1000, text: msg }];
  });
}

export function describeFailover({ killed, detection, votes, commit }: Failover): string {
  const ms = (value: number): string => (Number.isNaN(value) ? '?' : value.toFixed(0));
  return `failover from ${killed}: detected after ${ms(detection)} ms, votes after ${ms(votes)} ms, first commit after ${ms(commit)} ms`;
}

/** The time without a committed write, over all failovers. */
export function describePauses(failovers: readonly Failover[]): string {
  const commits = failovers.map(({ commit }) => commit).toSorted((a, b) => a - b);
  const p99 = commits[Math.ceil(commits.length * 0.99) - 1] ?? Number.NaN;
  const worst = commits.at(-1) ?? Number.NaN;
  return `time to the first commit: median ${median(commits).toFixed(0)} ms, p99 ${p99.toFixed(0)} ms, longest ${worst.toFixed(0)} ms`;
}
