/** Timeouts that lengthen when elections fail, against fixed ones, under failures that come one after the other. */
import type { Cell, CellResult, Experiment, Row, Scale } from '../experiment.ts';
import type { Figure } from '../plots/figure.ts';
import { lacking, observations } from '../plots/observations.ts';
import { spread } from '../plots/spread.ts';
import { type ElectionBudget, ElectionTrial } from './election-trial.ts';
import { ELECTION_BUDGETS } from './elections.ts';
import type { TimeoutRange } from './election-timeouts.ts';

interface Settings {
  readonly range: TimeoutRange;
  readonly delayMs: number;
  readonly preVote: boolean;
  readonly loss: Loss;
  readonly adaptive: boolean;
}

/** What falls silent at once; with a follower, just a majority of five is left, which must agree as one. */
const LOSSES = ['leader', 'leader and follower'] as const;
type Loss = (typeof LOSSES)[number];

const SERVERS = 5;
const BUDGETS: Readonly<Record<Scale, ElectionBudget>> = {
  full: { ...ELECTION_BUDGETS.full, elections: 40, seconds: 50, calmSeconds: 2 },
  quick: ELECTION_BUDGETS.quick,
};
/** Timeouts that suit their network, that are tight for it, and that are too tight: a round trip hardly fits. */
const TUNINGS: readonly { readonly range: TimeoutRange; readonly delayMs: number }[] = [
  { range: { name: '300–500', minMs: 300, maxMs: 500, heartbeatMs: 50 }, delayMs: 5 },
  { range: { name: '150–200', minMs: 150, maxMs: 200, heartbeatMs: 30 }, delayMs: 30 },
  { range: { name: '100–130', minMs: 100, maxMs: 130, heartbeatMs: 20 }, delayMs: 40 },
];

export const adaptation: Experiment = {
  name: 'adaptation',
  title: 'Adaptation: timeouts that lengthen when elections fail, against fixed ones',
  question: 'Does it help to wait longer after failed elections, and what does it cost when they would not fail?',
  method:
    'As in the elections above, leaders of five servers fall silent one after the other, here across a relay that delays every message; alone, or together with a follower, so that just a ' +
    'majority is left. When a successor serves, those that were silent go on as they were, and the next failure comes within moments: what servers have learnt of earlier elections stays. "Fixed": ' +
    'maxElectionBackoff=1; "adaptive": 8, the default, which lets the upper end of the range double with each failed election. The second and third tuning are too short for their network on ' +
    'purpose. The simulator asks the same of many more failures (docs/elections.md).',
  measures: [
    { column: 'ms', label: 'time to the first write served', unit: 'ms', where: { kind: 'replacement' } },
    { column: 'terms', label: 'terms per replacement', unit: '', where: { kind: 'replacement' } },
  ],
  cells: (scale) => settingsOf(scale).map((settings) => cellOf(settings, scale)),
  figures,
};

function settingsOf(scale: Scale): readonly Settings[] {
  const circumstances =
    scale === 'full'
      ? TUNINGS.flatMap((tuning) => [
          ...LOSSES.map((loss) => ({ ...tuning, preVote: true, loss })),
          { ...tuning, preVote: false, loss: 'leader' as const },
        ])
      : TUNINGS.slice(2).flatMap((tuning) => LOSSES.map((loss) => ({ ...tuning, preVote: true, loss })));
  return circumstances.flatMap((each) => [false, true].map((adaptive) => ({ ...each, adaptive })));
}

function cellOf({ range, delayMs, preVote, loss, adaptive }: Settings, scale: Scale): Cell {
  const budget = BUDGETS[scale];
  const settings = {
    servers: SERVERS,
    range,
    preVote,
    death: 'silent',
    companions: loss === 'leader' ? 0 : 1,
    delayMs,
    tuned: [`maxElectionBackoff=${adaptive ? 8 : 1}`],
  } as const;
  const votes = preVote ? 'prevote' : 'plain';
  return {
    key: `${range.minMs}-${range.maxMs}ms-${delayMs}ms-${votes}-${loss.replaceAll(' ', '-')}-${adaptive ? 'adaptive' : 'fixed'}`,
    settings: { servers: SERVERS, timeouts: range.name, delayMs, preVote, loss, adaptive },
    servers: SERVERS,
    seconds: 6 + budget.calmSeconds + Math.min(budget.seconds, budget.elections * 3),
    run: (harness) => new ElectionTrial(harness, settings, budget).run(),
  };
}

const CIRCUMSTANCES = ['the leader', 'the leader and a follower', 'the leader, without PreVote'];

function circumstanceOf({ preVote, loss }: Row): string {
  const [alone = '', together = '', plain = ''] = CIRCUMSTANCES;
  if (preVote !== true) return plain;
  return loss === 'leader' ? alone : together;
}

function figures(results: readonly CellResult[]): readonly Figure[] {
  const rows = observations(results, { kind: 'replacement' }).map(
    (row): Row => ({
      ...row,
      ms: row['ms'] ?? row['limitMs'] ?? null,
      outcome: row['ms'] === null ? 'none' : 'served',
      tuning: `${row['timeouts']} ms, ${row['delayMs']} ms away`,
      kindOf: row['adaptive'] === true ? 'adaptive' : 'fixed',
      circumstance: circumstanceOf(row),
    }),
  );
  if (rows.length === 0) return [];
  const common = {
    rows,
    x: {
      field: 'tuning',
      title: 'election timeout and one-way delay',
      order: TUNINGS.map(({ range, delayMs }) => `${range.name} ms, ${delayMs} ms away`),
    },
    colour: { field: 'kindOf', title: 'timeouts', order: ['fixed', 'adaptive'] },
    column: { field: 'circumstance', title: '', order: CIRCUMSTANCES },
    width: 420,
  };
  const missing = [
    ...lacking(rows, 'circumstance', CIRCUMSTANCES),
    ...lacking(
      rows,
      'timeouts',
      TUNINGS.map(({ range }) => range.name),
    ),
  ];
  return [
    {
      id: 'time',
      title: 'Time without a leader, by who falls silent and how timeouts are drawn',
      caption:
        'Each point is one failure; the bar is the median, the line spans the 10th to the 90th percentile. Logarithmic.',
      spec: spread({
        ...common,
        y: { field: 'ms', title: 'time to the first write served (ms)', scale: 'log' },
        censored: 'outcome',
      }),
      missing,
    },
    {
      id: 'terms',
      title: 'Terms that each replacement took, by who falls silent',
      caption:
        'One is an election that succeeds at once; what is above was lost to candidates that stood against each other or timed out.',
      spec: spread({
        ...common,
        rows: rows.filter((row) => row['terms'] !== null),
        y: { field: 'terms', title: 'terms' },
      }),
      missing,
    },
  ];
}
