/**
 * A leader that a change has left without a vote (§6; dissertation §4.2.2). From the moment at which the change is committed it takes no more
 * commands; it brings those it has taken to their end, calls an heir and steps down (`driveLeaving`). Until then it tells nobody that the
 * change is committed: the others hang up on a former member when they know, and its clients would not hear what became of their writes.
 */
import { isVoter } from './configuration.ts';
import { currentConfiguration } from './membership.ts';
import type { Core } from './state.ts';
import type { Index } from './types.ts';

/** Whether this server votes no more, and that is committed. */
export function isLeaving({ state, options }: Core): boolean {
  const configuration = currentConfiguration(state);
  return configuration.index <= state.commitIndex && !isVoter(configuration, options.id);
}

/** What a leader tells the others of its commit index. */
export function commitToTell(core: Core): Index {
  const { state } = core;
  return isLeaving(core) ? Math.min(state.commitIndex, currentConfiguration(state).index - 1) : state.commitIndex;
}
