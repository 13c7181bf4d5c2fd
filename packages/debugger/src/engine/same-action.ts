/** Whether two decisions are the same. */
import type { CoreAction } from '@quorate/sim';

export function isSameAction(a: CoreAction, b: CoreAction): boolean {
  return a === b || identify(a) === identify(b);
}

/** Equal for equal actions: whatever order their fields were written in. */
function identify(action: CoreAction): string {
  const fields = Object.entries(action).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify(fields);
}
