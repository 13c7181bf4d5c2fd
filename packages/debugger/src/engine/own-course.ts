/** What happens when nobody interferes: the clock's next event, clients that ask now and then, and messages that a cut link swallows. */
import type { CoreAction, CoreWorld } from '@quorate/sim';
import { nextDue } from './due.ts';
import type { RunSetup } from './setup.ts';

/** Null when nothing ever happens by itself. */
export function ownCourse(world: CoreWorld, { requestEvery }: RunSetup): CoreAction | null {
  const lost = swallowed(world);
  if (lost !== null) return { kind: 'drop', message: lost };
  const due = nextDue(world);
  if (requestEvery !== null && due !== null) {
    const request = requestDue(world, requestEvery, due);
    if (request !== null) return request;
  }
  return world.next();
}

/** A message whose time has come and that cannot arrive: its link is cut, or nobody is there. */
function swallowed(world: CoreWorld): number | null {
  for (const { id, due, message } of world.flights) {
    if (due > world.now) continue;
    if (world.isCut(message.from, message.to) || world.server(message.to)?.raft === null) return id;
  }
  return null;
}

/** Clients ask whoever leads, in the highest term if there are several: the others are of the past. */
function requestDue(world: CoreWorld, every: number, due: number): CoreAction | null {
  const last = world.operations.findLast(({ kind }) => kind === 'propose')?.calledAt ?? -every;
  if (due < last + every) return null;
  let leader: { readonly id: string; readonly term: number } | null = null;
  for (const { id, status, raft } of world.servers) {
    if (status !== 'running' || raft?.role !== 'leader') continue;
    if (leader === null || raft.term > leader.term) leader = { id, term: raft.term };
  }
  if (leader === null) return null;
  const action = { kind: 'propose', server: leader.id } as const;
  return world.why(action) === null ? action : null;
}
