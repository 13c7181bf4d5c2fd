/** From what range the next election timeout is drawn: how hopeful, how preferred and how hurried this server is. */
import type { Core } from './state.ts';
import type { Micros } from './types.ts';

export interface Spread {
  readonly min: Micros;
  readonly max: Micros;
}

/**
 * Never below electionTimeoutMin, on which stickiness rests, but when the leader is gone (gone.ts). The upper end grows while
 * elections fail (adaptation.ts); a preferred server draws from the lower part.
 */
export function electionSpread({ state, options }: Core): Spread {
  if (state.hurriedAttempts > 0) return hurriedSpread(state.role === 'follower', options);
  const { electionTimeoutMin: min, electionTimeoutMax, maxElectionBackoff, priority } = options;
  const widest = electionTimeoutMax * Math.min(2 ** state.adaptation.level, maxElectionBackoff);
  return { min, max: min + Math.floor((widest - min) / Math.max(1, priority)) };
}

/** Whoever stands gives the answers time to come; who waits for another's attempt does as well. */
function hurriedSpread(isWaiting: boolean, { goneSpreadMin, goneSpreadMax }: Core['options']): Spread {
  if (isWaiting) return { min: goneSpreadMin, max: goneSpreadMax };
  return { min: goneSpreadMax, max: 2 * goneSpreadMax };
}
