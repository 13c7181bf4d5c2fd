/** What is rare about elections, as bits of one number: cheap to compare after every step. */
import type { RaftState } from '@quorate/raft';
import type { Situation } from './situations.ts';

const GONE = 1;
const HANDS_OVER = 2;
const PROVES = 4;
const STANDS_BACK = 8;
const WIDENED = 16;

const sights: readonly (readonly [number, Situation])[] = [
  [GONE, 'leader taken for gone'],
  [HANDS_OVER, 'leader whose disk stands still hands over'],
  [PROVES, 'leader that slept proves itself'],
  [STANDS_BACK, 'deposed leader stands back'],
  [WIDENED, 'election timeouts widened'],
];

export function electionSights({
  hurriedAttempts,
  transfer,
  leadership,
  standingBack,
  adaptation,
}: Readonly<RaftState>): number {
  let seen = 0;
  if (hurriedAttempts > 0) seen |= GONE;
  if (transfer !== null && transfer.id === null) seen |= HANDS_OVER;
  if (leadership !== null && leadership.confirmedRound < leadership.proofRound) seen |= PROVES;
  if (standingBack.left > 0 && !standingBack.forRepair) seen |= STANDS_BACK;
  if (adaptation.level > 0) seen |= WIDENED;
  return seen;
}

/** The situations of these bits. */
export function sightsOf(bits: number): readonly Situation[] {
  return sights.filter(([bit]) => (bits & bit) !== 0).map(([, situation]) => situation);
}
