/**
 * gRPC's Unavailable does not say whether a write took effect. Quorate's servers do, in the trailers of a call that failed;
 * servers that send no such trailer leave it unknown.
 */
export const OUTCOME_TRAILER = 'quorate-outcome';

export const CallOutcome = {
  /** Definite: the call changed nothing and never will. It may be made again, here or elsewhere. */
  refused: 'refused',
  /** It may or may not take effect, now or later. */
  unknown: 'unknown',
} as const;
export type CallOutcome = (typeof CallOutcome)[keyof typeof CallOutcome];
