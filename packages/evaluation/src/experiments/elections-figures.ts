import type { CellResult, Row } from '../experiment.ts';
import type { Figure } from '../plots/figure.ts';
import { distinct, lacking, observations } from '../plots/observations.ts';
import { spread } from '../plots/spread.ts';
import { GO_2019_INITIAL } from '../reference/ancestors.ts';
import { RANGES } from './election-timeouts.ts';

const RANGE_ORDER = RANGES.map(({ name }) => name);
const X = { field: 'timeouts', title: 'election timeout (ms)', order: RANGE_ORDER };
const Y_MS = 'time to the first write served (ms)';

export function electionFigures(results: readonly CellResult[]): readonly Figure[] {
  const near = results.filter(({ settings }) => settings['delayMs'] === 0);
  return [
    replacement('silent', near),
    replacement('killed', near),
    delays(results, true),
    delays(results, false),
    calm(results),
    initial(near.filter(({ settings }) => settings['preVote'] === true)),
  ].filter((figure) => figure !== null);
}

/** Observations of one kind; what never came stands at the limit that was waited for. */
function ofKind(results: readonly CellResult[], kind: string): readonly Row[] {
  return observations(results, { kind }).map((row) => ({
    ...row,
    ms: row['ms'] ?? row['limitMs'] ?? null,
    outcome: row['ms'] === null ? 'none' : 'served',
    size: `${row['servers']} servers`,
    vote: row['preVote'] === true ? 'PreVote' : 'without PreVote',
    delay: `${row['delayMs']} ms`,
  }));
}

const DEATHS = { silent: 'falls silent', killed: 'is killed (kill -9)' } as const;

function replacement(death: keyof typeof DEATHS, all: readonly CellResult[]): Figure | null {
  const rows = ofKind(
    all.filter(({ settings }) => settings['death'] === death),
    'replacement',
  );
  if (rows.length === 0) return null;
  return {
    id: `replacement-${death}`,
    title: `Time to replace a leader that ${DEATHS[death]}`,
    caption:
      'Each point is one election; the thick bar is the median, the thin line spans the 10th to the 90th percentile. A triangle: no write was ' +
      'served within the limit, at which it stands. Logarithmic.',
    spec: spread({
      rows,
      x: X,
      y: { field: 'ms', title: Y_MS, scale: 'log' },
      colour: { field: 'vote', title: '', order: ['PreVote', 'without PreVote'] },
      column: { field: 'size', title: '', order: distinct(rows, 'size') },
      censored: 'outcome',
    }),
    missing: lacking(rows, 'timeouts', RANGE_ORDER),
  };
}

function delays(all: readonly CellResult[], preVote: boolean): Figure | null {
  const rows = ofKind(
    all.filter(({ settings }) => settings['death'] === 'silent' && settings['preVote'] === preVote),
    'replacement',
  );
  if (distinct(rows, 'delay').length < 2) return null;
  return {
    id: preVote ? 'replacement-by-delay' : 'replacement-by-delay-plain',
    title: `Time to replace a silent leader when the network takes its time (${preVote ? 'PreVote' : 'without PreVote'})`,
    caption:
      'As above, by one-way delay between servers. A timeout below a round trip elects nobody for long: the next candidacy comes before the votes ' +
      'for the last one. Timeouts that lengthen with failure (docs/elections.md) are on.',
    spec: spread({
      rows,
      x: X,
      y: { field: 'ms', title: Y_MS, scale: 'log' },
      colour: { field: 'delay', title: 'one-way delay', order: ['0 ms', '1 ms', '10 ms', '50 ms'] },
      column: { field: 'size', title: '', order: distinct(rows, 'size') },
      censored: 'outcome',
    }),
    missing: lacking(rows, 'timeouts', RANGE_ORDER),
  };
}

/** Elections without any failure: what a timeout that is too short costs all the time. */
function calm(all: readonly CellResult[]): Figure | null {
  const rows = ofKind(all, 'calm');
  if (rows.length === 0) return null;
  return {
    id: 'calm',
    title: 'Terms that pass while nothing fails',
    caption:
      'Each point is one cluster, watched before its first loss. Above zero, healthy leaders are deposed: by timeouts shorter than what the network, or ' +
      'the scheduler of a busy machine, needs.',
    spec: spread({
      rows,
      x: X,
      y: { field: 'termsPerSecond', title: 'terms a second' },
      colour: { field: 'vote', title: '', order: ['PreVote', 'without PreVote'] },
      column: { field: 'delay', title: 'one-way delay', order: ['0 ms', '1 ms', '10 ms', '50 ms'] },
      width: 250,
      height: 180,
    }),
    missing: lacking(rows, 'timeouts', RANGE_ORDER),
  };
}

function initial(all: readonly CellResult[]): Figure | null {
  const rows = ofKind(all, 'initial').map((row) => ({ ...row, size: String(row['servers']) }));
  if (rows.length === 0) return null;
  const published = GO_2019_INITIAL.map(({ servers, medianMs }) => ({ size: String(servers), ms: medianMs }));
  const sizes = [...new Set([...rows, ...published].map(({ size }) => size))].toSorted((a, b) => Number(a) - Number(b));
  return {
    id: 'initial',
    title: 'First election of a new cluster',
    caption:
      'From the moment a majority of the servers is up to the first write served. Crosses: medians that a system in Go published in 2019 ' +
      '(timeouts of 350 to 500 ms, 100 starts each; its time includes 500 ms of start-up, and it asked every 50 ms).',
    spec: spread({
      rows,
      x: { field: 'size', title: 'servers', order: sizes },
      y: { field: 'ms', title: Y_MS, scale: 'log' },
      colour: { field: 'timeouts', title: 'election timeout (ms)', order: RANGE_ORDER },
      width: 460,
      published,
    }),
    missing: lacking(rows, 'timeouts', RANGE_ORDER),
  };
}
