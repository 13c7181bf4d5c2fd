/**
 * Election timeouts that adapt. Elections fail when the network or the disks need longer than the timeout allows, or when servers stand at
 * the same time, which is rare where they give way (giving-way.ts): both are cured by a wider range to draw from. Each failure doubles it, up
 * to maxElectionBackoff; each long reign halves it again. Nothing else is changed: the shortest timeout stays as it is.
 */
import { calmStandingBack } from './standing-back.ts';
import type { Core } from './state.ts';
import { armTimer, disarmTimer } from './timers.ts';

/** A leader that lasts for this many of the longest election timeouts has brought quiet. */
const quietTimeouts = 10;

/** An election that this server stood in has ended without a winner. One in haste says nothing of the usual timeouts. */
export function onElectionFailed({ state, options }: Core): void {
  if (state.hurriedAttempts > 0) return;
  const { adaptation } = state;
  if (2 ** adaptation.level < options.maxElectionBackoff) adaptation.level += 1;
}

/** A leader came to be known, or this server became one. */
export function onLeaderKnown(core: Core): void {
  armQuiet(core);
}

/** There is no leader any more that this server knew. */
export function onLeaderLost(core: Core): void {
  disarmTimer(core, 'quiet');
}

export function onQuietTimeout(core: Core): void {
  const { adaptation } = core.state;
  adaptation.level = Math.max(0, adaptation.level - 1);
  calmStandingBack(core);
  if (adaptation.level > 0) armQuiet(core);
}

function armQuiet(core: Core): void {
  const delay = quietTimeouts * core.options.electionTimeoutMax;
  armTimer(core, 'quiet', delay, delay);
}
