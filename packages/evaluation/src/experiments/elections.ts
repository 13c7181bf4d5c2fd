/** How long a cluster serves no write after its leader is gone, by election timeouts, size, PreVote and network delay. */
import type { Cell, Experiment, Scale } from '../experiment.ts';
import { type ElectionBudget, type ElectionSettings, ElectionTrial, MAX_NONE_AT_ALL } from './election-trial.ts';
import { MIDDLE, RANGES, SHORT, type TimeoutRange } from './election-timeouts.ts';
import { electionFigures } from './elections-figures.ts';
import { startAnew } from './first-election.ts';

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
    'under everything here. Before the first loss each cluster is watched without any: terms that pass then are elections that nobody needed. ' +
    'First elections are those of every such cluster, and of many more that are founded for nothing else.',
  measures: [
    { column: 'ms', label: 'replacement', unit: 'ms', where: { kind: 'replacement' } },
    { column: 'ms', label: 'first write after a majority is up', unit: 'ms', where: { kind: 'initial' } },
    { column: 'terms', label: 'terms per replacement', unit: '', where: { kind: 'replacement' } },
    { column: 'termsPerSecond', label: 'terms a second without any failure', unit: '1/s', where: { kind: 'calm' } },
  ],
  cells: (scale) => [
    ...settingsOf(scale).map((settings) => cellOf(settings, scale)),
    ...(scale === 'quick'
      ? [startCell(3, MIDDLE, scale)]
      : SIZES.flatMap((servers) => RANGES.map((range) => startCell(servers, range, scale)))),
  ],
  figures: electionFigures,
};

const SIZES = [3, 5, 9];
/** Clusters founded for their first election alone. */
const STARTS: Readonly<Record<Scale, number>> = { full: 25, quick: 3 };

function settingsOf(scale: Scale): readonly ElectionSettings[] {
  if (scale === 'quick') return quickSettings();
  const near = SIZES.flatMap((servers) =>
    RANGES.flatMap((range) =>
      [true, false].flatMap((preVote) =>
        (['silent', 'killed'] as const).map((death) => ({ servers, range, preVote, death, delayMs: 0 })),
      ),
    ),
  );
  const far = SIZES.flatMap((servers) =>
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
  return [
    ...RANGES.map((range) => ({ ...usual, range })),
    { ...usual, range: SHORT, delayMs: 50 },
    { ...usual, range: MIDDLE, preVote: false },
    { ...usual, range: MIDDLE, death: 'killed' },
  ];
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

function startCell(servers: number, range: TimeoutRange, scale: Scale): Cell {
  const { limitMs } = ELECTION_BUDGETS[scale];
  const starts = STARTS[scale];
  return {
    key: `${servers}-${range.minMs}-${range.maxMs}ms-start`,
    settings: { servers, timeouts: range.name, preVote: true, death: 'none', delayMs: 0 },
    servers,
    seconds: starts * (0.6 + servers * 0.25 + range.maxMs / 1000),
    run: (harness) => startAnew(harness, { servers, range, starts, limitMs }),
  };
}

/** What all elections of a cell take, for the estimate. */
function electionSeconds({ servers, range, death, delayMs }: ElectionSettings, budget: ElectionBudget): number {
  // No round trip fits into a timeout: nobody is elected, neither at first nor later.
  if (range.maxMs < 2 * delayMs) return Math.min(budget.seconds, (1 + MAX_NONE_AT_ALL) * (budget.limitMs / 1000));
  const restart = death === 'killed' ? 0.5 + servers * 0.05 : 0;
  const each = 0.4 + restart + (range.maxMs + 8 * delayMs) / 1000;
  return Math.min(budget.seconds, budget.elections * each);
}
