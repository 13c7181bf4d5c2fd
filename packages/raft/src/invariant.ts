/**
 * The core's own invariants. A broken one means a bug here or memory gone bad: the server must stop rather than write
 * another byte. Nothing that a peer or a client sends may ever end here.
 */

export class InvariantViolation extends Error {
  readonly code = 'InvariantViolation';
  override readonly name = 'InvariantViolation';
}

/**
 * Throws InvariantViolation with `what` unless `condition` holds. What names numbers is a function: the words would cost more than all
 * else that is done to an entry, and nobody reads them where all is well.
 */
export function invariant(condition: boolean, what: string | (() => string)): asserts condition {
  if (condition) return;
  const words = typeof what === 'string' ? what : what();
  throw new InvariantViolation(`Broken invariant: ${words}. Stop this server and report it with its log`);
}
