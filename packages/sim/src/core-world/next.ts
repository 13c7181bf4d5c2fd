/** What is due first in a world with a clock. */
import type { Micros } from '@quorate/raft';
import type { CoreAction } from './action.ts';
import { type Situation, whyNot } from './enabled.ts';

export interface Due {
  readonly action: CoreAction;
  readonly due: Micros;
}

/** Of what is due at once, the first in this order: messages as they were sent, then server by server; stickiness before election. */
export function earliest(world: Situation): Due | null {
  let best: Due | null = null;
  const offer = (action: CoreAction, due: Micros): void => {
    if ((best === null || due < best.due) && whyNot(world, action) === null) best = { action, due };
  };
  for (const { id, due } of world.flights) offer({ kind: 'deliver', message: id }, due);
  for (const { id: server, pending, timers, loads, reports, applyDue } of world.servers) {
    const [writing] = pending;
    if (writing !== undefined) offer({ kind: 'persist', server }, writing.due);
    offer({ kind: 'apply', server }, applyDue);
    if (loads.length > 0) offer({ kind: 'load', server }, 0);
    if (reports.length > 0) offer({ kind: 'snapshotSent', server }, 0);
    const sticky = timers.find(({ name }) => name === 'stickiness');
    if (sticky !== undefined) offer({ kind: 'timeout', server, timer: 'stickiness' }, sticky.due);
    for (const { name, due } of timers) offer({ kind: 'timeout', server, timer: name }, due);
  }
  return best;
}
