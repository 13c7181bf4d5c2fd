/**
 * Time in one form: the core names a timer, its shortest and longest delay; the driver draws the delay and reports the end with
 * the generation it was armed with. Whatever was armed or disarmed since then makes an old report void.
 */
import { electionSpread } from './election-timeout.ts';
import type { TimerName } from './output.ts';
import type { Core } from './state.ts';
import type { Micros } from './types.ts';

export function armTimer(core: Core, name: TimerName, min: Micros, max: Micros): void {
  const generation = core.state.timers[name] + 1;
  core.state.timers[name] = generation;
  const command = { name, generation, min, max };
  const { arm } = core.out;
  const earlier = arm.findIndex((it) => it.name === name);
  if (earlier === -1) arm.push(command);
  else arm[earlier] = command;
}

export function disarmTimer(core: Core, name: TimerName): void {
  armTimer(core, name, 0, 0);
}

/** Draws a new election timeout (§5.2: a fresh one for every election). */
export function armElection(core: Core): void {
  const { min, max } = electionSpread(core);
  armTimer(core, 'election', min, max);
}

/** A leader was heard: protect it for as long as the shortest election timeout, and wait anew. */
export function armAfterContact(core: Core): void {
  armElection(core);
  if (!core.options.stableLeadership) return;
  core.state.sticky = true;
  armTimer(core, 'stickiness', core.options.electionTimeoutMin, core.options.electionTimeoutMin);
}
