/**
 * Decisions that survive a change of what came before them. A message's number counts all that were sent before, so in another run it means
 * another message; what the message says does not change.
 */
import { type CoreAction, type CoreWorld, describeMessage, type Flight } from '@quorate/sim';

/** A decision, with what the message said that it is about. */
export interface Decision {
  readonly action: CoreAction;
  readonly about: string | null;
}

export function decisionOf(action: CoreAction, world: CoreWorld): Decision {
  const flight = 'message' in action ? world.flight(action.message) : null;
  return { action, about: flight === null ? null : signature(flight) };
}

function signature({ message }: Flight): string {
  return `${message.from}>${message.to} ${message.kind} ${message.term} ${describeMessage(message)}`;
}

/** The same decision in this world; null if it means nothing here. */
export function translated({ action, about }: Decision, world: CoreWorld): CoreAction | null {
  if (about === null || !('message' in action)) return world.why(action) === null ? action : null;
  const same = world.flights.find((flight) => signature(flight) === about);
  if (same === undefined) return null;
  const meant: CoreAction = { ...action, message: same.id };
  return world.why(meant) === null ? meant : null;
}
