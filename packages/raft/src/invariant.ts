/**
 * The core's own invariants. A broken one means a bug here or memory gone bad: the server must stop rather than write
 * another byte. Nothing that a peer or a client sends may ever end here.
 */

export class InvariantViolation extends Error {
  readonly code = 'InvariantViolation';
  override readonly name = 'InvariantViolation';
}

/** Throws InvariantViolation with `what` unless `condition` holds. */
export function invariant(condition: boolean, what: string): asserts condition {
  if (!condition)
    throw new InvariantViolation(`Broken invariant: ${what}. Stop this server and report it with its log`);
}
