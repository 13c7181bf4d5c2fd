/** Options of the core by name, for experiments that need what no flag offers: election timeouts of a millisecond, for one. */
import { defaultOptions, type RaftDefaults } from '@quorate/raft';

const names = [
  'electionTimeoutMin',
  'electionTimeoutMax',
  'heartbeatInterval',
  'maxElectionBackoff',
  'goneSpreadMin',
  'goneSpreadMax',
  'commitNoticeDelay',
  'maxAppendBytes',
  'maxInflightMessages',
  'maxInflightBytes',
] as const satisfies readonly (keyof RaftDefaults)[];
type TunableName = (typeof names)[number];

export type CoreTuning = Readonly<Partial<Record<TunableName, number>>>;

/** Reads `NAME=N,…`. What the values mean for each other is for the core to say when it is made. */
export function readTuning(text: string): { readonly tuning: CoreTuning } | { readonly fault: string } {
  const tuning: Partial<Record<TunableName, number>> = {};
  for (const pair of text === '' ? [] : text.split(',')) {
    const [, word = '', digits = ''] = /^\s*(\w+)=(\d{1,15})\s*$/.exec(pair) ?? [];
    const name = names.find((each) => each === word);
    if (name === undefined) return { fault: `"${pair}" is not NAME=N with one of ${names.join(', ')}` };
    if (name in tuning) return { fault: `${name} stands there twice` };
    tuning[name] = Number(digits);
  }
  const fault = disagreement(tuning);
  return fault === null ? { tuning } : { fault };
}

/** What the values must be to each other; null if they are so. The core holds the same, but says it to programmers. */
function disagreement(tuning: CoreTuning): string | null {
  const zero = names.find((name) => tuning[name] === 0 && name !== 'commitNoticeDelay');
  if (zero !== undefined) return `${zero} is 0; give at least 1`;
  const paired = [
    ['electionTimeoutMin', 'electionTimeoutMax'],
    ['electionTimeoutMin', 'heartbeatInterval'],
  ] as const;
  for (const [one, other] of paired) {
    if (tuning[one] !== undefined && tuning[other] === undefined) return `${one} is given, so give ${other} as well`;
  }
  const { electionTimeoutMin, electionTimeoutMax, heartbeatInterval, maxElectionBackoff } = tuning;
  if (electionTimeoutMin === undefined) {
    const lone = (['electionTimeoutMax', 'heartbeatInterval'] as const).find((name) => tuning[name] !== undefined);
    if (lone !== undefined) return `${lone} is given, so give electionTimeoutMin as well`;
  } else {
    if ((electionTimeoutMax ?? 0) < electionTimeoutMin) return 'electionTimeoutMax is below electionTimeoutMin';
    if ((heartbeatInterval ?? 0) >= electionTimeoutMin) return 'heartbeatInterval must be below electionTimeoutMin';
  }
  if ((maxElectionBackoff ?? 1) > 1000) return 'maxElectionBackoff must be from 1 to 1000';
  const { goneSpreadMin = defaultOptions.goneSpreadMin, goneSpreadMax = defaultOptions.goneSpreadMax } = tuning;
  return goneSpreadMin > goneSpreadMax ? 'goneSpreadMin exceeds goneSpreadMax' : null;
}
