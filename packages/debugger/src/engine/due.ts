/** When things happen by themselves. */
import type { CoreAction, CoreWorld } from '@quorate/sim';

/** Null for what only happens when somebody wants it. */
export function dueOf(world: CoreWorld, action: CoreAction): number | null {
  if (world.setting.timing !== 'clock') return null;
  switch (action.kind) {
    case 'deliver':
      return world.flight(action.message)?.due ?? null;
    case 'timeout':
      return world.server(action.server)?.timers.find(({ name }) => name === action.timer)?.due ?? null;
    case 'persist':
      return world.server(action.server)?.pending[0]?.due ?? null;
    case 'apply':
      return world.server(action.server)?.applyDue ?? null;
    case 'load':
    case 'snapshotSent':
      return world.now;
    default:
      return null;
  }
}

/** When the next event happens by itself; null if none does. */
export function nextDue(world: CoreWorld): number | null {
  const next = world.next();
  if (next === null) return null;
  return Math.max(world.now, dueOf(world, next) ?? world.now);
}
