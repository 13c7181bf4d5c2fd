/** A server that has shown that it does not make a good leader lets election timeouts pass, so that others are first. */
import type { Core } from './state.ts';

/** A leader deposed n times in succession lets 2^(n - 1) election timeouts pass, up to this n. */
const mostFalls = 4;

/** A majority did not answer this leader, or its disk did not: the next time it waits longer. */
export function standBackAsDeposed({ state }: Core): void {
  const { standingBack } = state;
  standingBack.falls = Math.min(standingBack.falls + 1, mostFalls);
  standingBack.left = 2 ** (standingBack.falls - 1);
  standingBack.forRepair = false;
}

/** Entries are faulty here that this server could not settle as leader: others may have what it lacks. */
export function standBackForRepair({ state }: Core, timeouts: number): void {
  state.standingBack.left = timeouts;
  state.standingBack.forRepair = true;
}

/** Whether this election timeout is left to others. */
export function standsBack({ state }: Core): boolean {
  const { standingBack, log } = state;
  if (standingBack.left === 0 || (standingBack.forRepair && log.faulty.length === 0)) return false;
  standingBack.left -= 1;
  return true;
}

/**
 * A candidate was refused because its log is behind this one's. Those that this server makes room for may have nobody who could win
 * without it, so each such attempt halves what is left; or a cluster of which only deposed leaders hold the newest entry would wait for
 * up to 2^(n - 1) of the longest timeouts.
 */
export function makeLessRoom({ state }: Core): void {
  const { standingBack } = state;
  if (!standingBack.forRepair) standingBack.left >>= 1;
}

/** This server leads, whatever kept it back. */
export function endStandingBack({ state }: Core): void {
  state.standingBack.left = 0;
}

/** A leader has lasted. */
export function calmStandingBack({ state }: Core): void {
  state.standingBack.falls = 0;
  state.standingBack.left = 0;
}
