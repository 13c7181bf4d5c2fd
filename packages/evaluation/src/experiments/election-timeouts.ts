/** The ranges of election timeouts that the ancestors announced, and what else a server must be told for each. */

export interface TimeoutRange {
  /** As announced, in milliseconds. */
  readonly name: string;
  readonly minMs: number;
  readonly maxMs: number;
  readonly heartbeatMs: number;
}

export const SHORT: TimeoutRange = { name: '12–25', minMs: 12, maxMs: 25, heartbeatMs: 3 };
export const MIDDLE: TimeoutRange = { name: '150–300', minMs: 150, maxMs: 300, heartbeatMs: 30 };

/**
 * 0 to 5 ms as 1 to 5: a timeout of nothing is none. Heartbeats come several times within the least timeout, as far as the timers of the
 * system go: they are no finer than a millisecond.
 */
export const RANGES: readonly TimeoutRange[] = [
  { name: '1–5', minMs: 1, maxMs: 5, heartbeatMs: 0.5 },
  SHORT,
  MIDDLE,
  { name: '300–500', minMs: 300, maxMs: 500, heartbeatMs: 50 },
];

/**
 * Flags of `quorate serve`. Stickiness, CheckQuorum and leases follow the least timeout by themselves. The server's own flag is for whole
 * milliseconds from 5 on and draws from a range of its own, so the core is told directly; the flag still sets how long requests may take.
 */
export function timeoutFlags(range: TimeoutRange, more: readonly string[] = []): readonly string[] {
  const micros = (ms: number): number => Math.round(ms * 1000);
  const tuned = [
    `electionTimeoutMin=${micros(range.minMs)}`,
    `electionTimeoutMax=${micros(range.maxMs)}`,
    `heartbeatInterval=${micros(range.heartbeatMs)}`,
    ...more,
  ];
  const timeout = Math.max(5, range.maxMs);
  return ['--heartbeat-interval', '1', '--election-timeout', String(timeout), '--tune', tuned.join(',')];
}
