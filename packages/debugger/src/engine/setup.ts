/** What a run begins with: all that a world needs to be made again, as plain data. */
import type { CoreWorldOptions } from '@quorate/sim';

export type Setup =
  /** A cluster to play with. */
  | { readonly kind: 'fresh'; readonly servers: number; readonly seed: number; readonly leases?: boolean }
  /** The run that the simulator makes of a seed: whole nodes, on disks and a network that fail. */
  | { readonly kind: 'nodes'; readonly servers: number; readonly seed: number; readonly seconds: number }
  | { readonly kind: 'run'; readonly run: RunSetup };

/** What decisions are made in. */
export interface RunSetup {
  readonly title: string;
  /** With the core itself where that has a mistake in it; it is named by `bug`, and put there by whoever opens the run. */
  readonly options: CoreWorldOptions;
  /** The mistake in the core (packages/sim/src/search/bugs.ts); null for the real one. */
  readonly bug: string | null;
  /** Clients ask for a command this often, as time goes on by itself. Virtual microseconds; null: only when told to. */
  readonly requestEvery: number | null;
}

/** The paper's timeouts (§9.3), over a network and disks that an eye can follow. */
export const paperTimes = {
  electionTimeoutMin: 150_000,
  electionTimeoutMax: 300_000,
  heartbeatInterval: 50_000,
} as const;

const requestEvery = 120_000;

export function runSetupOf(setup: Exclude<Setup, { readonly kind: 'nodes' }>): RunSetup {
  if (setup.kind === 'run') return setup.run;
  const { servers, seed, leases = false } = setup;
  return {
    title: `${servers} servers, seed ${seed}${leases ? ', leases' : ''}`,
    options: { servers, timing: 'clock', seed, raft: { ...paperTimes, leaseReads: leases } },
    bug: null,
    requestEvery,
  };
}
