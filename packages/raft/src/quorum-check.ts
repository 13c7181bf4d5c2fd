/**
 * CheckQuorum (dissertation §6.2): a leader that a majority no longer answers steps down, so that its clients look elsewhere
 * and a partial partition cannot keep a useless leader in office.
 */
import { tally } from './configuration.ts';
import { currentConfiguration } from './membership.ts';
import { becomeFollower } from './role.ts';
import type { Core } from './state.ts';
import { armTimer } from './timers.ts';

export function onQuorumCheckTimeout(core: Core): void {
  const { state, options } = core;
  const { leadership } = state;
  if (leadership === null) return;
  const answered = tally(
    currentConfiguration(state),
    (id) => id === options.id || leadership.progress.some((progress) => progress.id === id && progress.active),
  );
  if (answered !== 'won') {
    becomeFollower(core, state.term, null, 'no majority answered for an election timeout');
    return;
  }
  for (const progress of leadership.progress) {
    progress.wasActive = progress.active;
    progress.active = false;
  }
  armTimer(core, 'quorumCheck', options.electionTimeoutMin, options.electionTimeoutMin);
}
