import { CallOutcome, StatusCode } from '@quorate/kv/api';
import { type Failure } from './transport.ts';

export type CallKind = 'read' | 'write';

/** What a failure means for the call: try another server, give up knowing that nothing was done, or not knowing. */
export type Verdict = 'retry' | 'refused' | 'unknown';

/**
 * Statuses that a server answers with before it does anything, or instead. The others can come after a write was handed to
 * consensus, from any server that does not say more.
 */
const DEFINITE_STATUSES: ReadonlySet<StatusCode> = new Set([
  StatusCode.invalidArgument,
  StatusCode.notFound,
  StatusCode.alreadyExists,
  StatusCode.permissionDenied,
  StatusCode.resourceExhausted,
  StatusCode.failedPrecondition,
  StatusCode.outOfRange,
  StatusCode.unimplemented,
  StatusCode.unauthenticated,
]);

/** Statuses after which another server, or the same one later, may well say yes. */
const PASSING_STATUSES: ReadonlySet<StatusCode> = new Set([
  StatusCode.unavailable,
  StatusCode.cancelled,
  StatusCode.aborted,
]);

export function verdictOn(kind: CallKind, failure: Failure): Verdict {
  switch (failure.kind) {
    case 'notSent':
      return 'retry';
    case 'lost':
      return kind === 'read' ? 'retry' : 'unknown';
    case 'tooLarge':
    case 'malformed':
      // The server did answer, so a write was most likely done.
      return kind === 'read' ? 'refused' : 'unknown';
    case 'status':
      return verdictOnStatus(kind, failure.status, failure.outcome);
  }
}

function verdictOnStatus(kind: CallKind, status: StatusCode, outcome: CallOutcome | undefined): Verdict {
  const passing = PASSING_STATUSES.has(status);
  // A read has no outcome that matters: it can always be made again.
  if (kind === 'read' || outcome === CallOutcome.refused) return passing ? 'retry' : 'refused';
  if (outcome === CallOutcome.unknown) return 'unknown';
  return DEFINITE_STATUSES.has(status) ? 'refused' : 'unknown';
}
