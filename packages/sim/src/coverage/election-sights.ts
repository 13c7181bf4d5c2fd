/** What is rare about elections, as bits of one number: cheap to compare after every step. */
import type { RaftState } from '@quorate/raft';
import type { Situation } from './situations.ts';

const sights: readonly (readonly [Situation, (state: RaftState) => boolean])[] = [
  ['leader taken for gone', ({ hurriedAttempts }) => hurriedAttempts > 0],
  ['leader whose disk stands still hands over', ({ transfer }) => transfer !== null && transfer.id === null],
  [
    'leader that slept proves itself',
    ({ leadership }) => leadership !== null && leadership.confirmedRound < leadership.proofRound,
  ],
  ['deposed leader stands back', ({ standingBack }) => standingBack.left > 0 && !standingBack.forRepair],
  ['election timeouts widened', ({ adaptation }) => adaptation.level > 0],
];

export function electionSights(state: RaftState): number {
  let seen = 0;
  for (let at = 0; at < sights.length; at++) if (sights[at]?.[1](state) === true) seen |= 1 << at;
  return seen;
}

/** The situations of these bits. */
export function sightsOf(bits: number): readonly Situation[] {
  return sights.filter((_, at) => (bits & (1 << at)) !== 0).map(([situation]) => situation);
}
