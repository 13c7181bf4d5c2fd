/**
 * Mistakes that Rafts have been seen to make, put into a copy of our core (packages/sim/mutants, packages/sim/scripts/bugs.mjs), each with
 * the smallest world in which a search finds it. Figures: docs/model-checking.md.
 */
import type { CoreWorldOptions } from '../core-world/options.ts';

export interface Bug {
  /** What `quorate check --bug` calls it. */
  readonly name: string;
  /** The patch in packages/sim/mutants. */
  readonly mutant: string;
  /** What the core does wrong, in a sentence without its full stop. */
  readonly mistake: string;
  /** Why that is wrong, with the section that says so. */
  readonly rule: string;
  readonly world: Omit<CoreWorldOptions, 'core'>;
}

/** Heartbeats never arrive: AppendEntries do all that matters here. */
const lost = ['heartbeat', 'heartbeatReply'] as const;
/** The election of Figure 2 alone: fewer steps to a leader. */
const plainElections = { stableLeadership: false };

export const bugs: readonly Bug[] = [
  {
    name: 'figure8',
    mutant: 'old-term-committed',
    mistake: 'a leader commits entries of earlier terms by counting copies',
    rule: 'a leader counts copies of entries of its own term only; what came before is committed with them (§5.4.2, Figure 8)',
    world: {
      servers: 3,
      timing: 'order',
      disk: 'atOnce',
      lost,
      raft: { ...plainElections, maxAppendBytes: 1 },
      budgets: { terms: 4, elections: 4, requests: 0, stickiness: 0 },
    },
  },
];

export function bugNamed(name: string): Bug | null {
  return bugs.find((bug) => bug.name === name) ?? null;
}
