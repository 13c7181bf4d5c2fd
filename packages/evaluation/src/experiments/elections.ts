/** How long a cluster serves no write after its leader is gone, by election timeouts, size, PreVote and network delay. */
import type { Cell, Experiment, Scale } from '../experiment.ts';
import { type ElectionBudget, type ElectionSettings, ElectionTrial, MAX_NONE } from './election-trial.ts';
import { RANGES } from './election-timeouts.ts';
import { electionFigures } from './elections-figures.ts';

export const ELECTION_BUDGETS: Readonly<Record<Scale, ElectionBudget>> = {
  full: { elections: 100, seconds: 600, calmSeconds: 10, limitMs: 60_000 },
  quick: { elections: 4, seconds: 8, calmSeconds: 1, limitMs: 5_000 },
};

export const elections: Experiment = {
  name: 'elections',
  title: 'Elections: time from the loss of the leader to the first write served by its successor',
  question: 'How short may election timeouts be, and what does it cost when they are too short?',
  method:
    'The leader of a cluster of real processes is taken away at a random moment, and from then on a write is sent to one of the survivors ' +
    'every 2 ms; the first answer ends the measurement. "Silent": the process is stopped (SIGSTOP), its connections stay open and nothing ' +
    'answers, as when a machine loses its power or its network; here the election timeout decides, and the process goes on when a successor has served. "Killed": kill -9; the system closes ' +
    'its connections, which the others take for its end (see docs/elections.md), so that the timeout hardly matters. Delays are one way, between ' +
    'servers, made by a relay on loopback. Heartbeats: 0.5, 3, 30 and 50 ms. All servers share the processors of one machine, which puts a floor ' +
    'under everything here. Before the first loss each cluster is watched without any: terms that pass then are elections that nobody needed.',
  measures: [
    { column: 'ms', label: 'replacement', unit: 'ms', where: { kind: 'replacement' } },
    { column: 'ms', label: 'first write after a majority is up', unit: 'ms', where: { kind: 'initial' } },
    { column: 'terms', label: 'terms per replacement', unit: '', where: { kind: 'replacement' } },
    { column: 'termsPerSecond', label: 'terms a second without any failure', unit: '1/s', where: { kind: 'calm' } },
  ],
  cells: (scale) => settingsOf(scale).map((settings) => cellOf(settings, scale)),
  figures: electionFigures,
};

function settingsOf(scale: Scale): readonly ElectionSettings[] {
  if (scale === 'quick') return quickSettings();
  const near = [3, 5, 9].flatMap((servers) =>
    RANGES.flatMap((range) =>
      [true, false].flatMap((preVote) =>
        (['silent', 'killed'] as const).map((death) => ({ servers, range, preVote, death, delayMs: 0 })),
      ),
    ),
  );
  const far = [3, 5, 9].flatMap((servers) =>
    RANGES.flatMap((range) =>
      [true, false].flatMap((preVote) =>
        [1, 10, 50].map((delayMs) => ({ servers, range, preVote, death: 'silent' as const, delayMs })),
      ),
    ),
  );
  return [...near, ...far];
}

/** Each range once, and one change at a time. */
function quickSettings(): readonly ElectionSettings[] {
  const usual = { servers: 3, preVote: true, death: 'silent', delayMs: 0 } as const;
  const [, short, middle] = RANGES;
  const varied: ElectionSettings[] = RANGES.map((range) => ({ ...usual, range }));
  if (short !== undefined) varied.push({ ...usual, range: short, delayMs: 50 });
  if (middle !== undefined) {
    varied.push({ ...usual, range: middle, preVote: false }, { ...usual, range: middle, death: 'killed' });
  }
  return varied;
}

function cellOf(settings: ElectionSettings, scale: Scale): Cell {
  const { servers, range, preVote, death, delayMs } = settings;
  const budget = ELECTION_BUDGETS[scale];
  return {
    key: `${servers}-${range.minMs}-${range.maxMs}ms-${preVote ? 'prevote' : 'plain'}-${death}-${delayMs}ms`,
    settings: { servers, timeouts: range.name, preVote, death, delayMs },
    servers,
    seconds: 3 + servers * 0.4 + budget.calmSeconds + electionSeconds(settings, budget),
    run: (harness) => new ElectionTrial(harness, settings, budget).run(),
  };
}

/** What all elections of a cell take, for the estimate. */
function electionSeconds({ servers, range, death, delayMs }: ElectionSettings, budget: ElectionBudget): number {
  // No round trip fits into a timeout: nobody is elected, neither at first nor later.
  if (range.maxMs < 2 * delayMs) return Math.min(budget.seconds, (1 + MAX_NONE) * (budget.limitMs / 1000));
  const restart = death === 'killed' ? 0.5 + servers * 0.05 : 0;
  const each = 0.4 + restart + (range.maxMs + 8 * delayMs) / 1000;
  return Math.min(budget.seconds, budget.elections * each);
}
