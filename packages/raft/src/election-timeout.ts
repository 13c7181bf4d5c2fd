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
  if (state.hurriedAttempts > 0) return hurriedSpread(hastyAttempts - state.hurriedAttempts, options);
  const { electionTimeoutMin: min, electionTimeoutMax, maxElectionBackoff, priority } = options;
  const widest = electionTimeoutMax * Math.min(2 ** state.adaptation.level, maxElectionBackoff);
  return { min, max: min + Math.floor((widest - min) / Math.max(1, priority)) };
}

/** Election timeouts in haste, before the usual ones return. */
export const hastyAttempts = 4;

/** What another server's attempt is given. In haste, too, that is time to win: never less than one's own second attempt. */
export function givingWaySpread(core: Core): Spread {
  const made = hastyAttempts - core.state.hurriedAttempts;
  return made === 0 ? hurriedSpread(1, core.options) : electionSpread(core);
}

/** Whoever has stood gives the answers time to come: twice as long each time, since nobody knows how far the others are. */
function hurriedSpread(made: number, { goneSpreadMin, goneSpreadMax }: Core['options']): Spread {
  if (made === 0) return { min: goneSpreadMin, max: goneSpreadMax };
  const min = goneSpreadMax * 2 ** (made - 1);
  return { min, max: 2 * min };
}
