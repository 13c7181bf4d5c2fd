import { runDirected, type SeedResult, type WatcherFactory } from '../campaign/run-seed.ts';
import { healthyDisk } from '../disk/index.ts';
import type { RunOptions } from '../swarm/options.ts';
import { uniform } from '../swarm/releases.ts';
import { healthyNetwork } from '../world/network.ts';
import { Director } from './director.ts';
import { parseScenario, type Scenario } from './parse.ts';

/** Longer than any scenario; each of its steps has a limit of its own. Microseconds. */
const longest = 600_000_000;

/**
 * Runs a scenario in a world that is healthy but for what it does, with every check of a campaign, and heals it at the end. A violation
 * STALE says which step no longer applies. Throws ScenarioError for a text that is no scenario.
 */
export function runScenario(source: string, watch: WatcherFactory): SeedResult {
  const scenario = parseScenario(source);
  return runDirected(scenario.seed, optionsOf(scenario), (world) => new Director(world, scenario.steps), watch);
}

/** Fixed: a scenario must not change when what campaigns draw does. */
function optionsOf({ servers, clients }: Scenario): RunOptions {
  return {
    servers,
    clients,
    faultMicros: longest,
    thinkMicros: 20_000,
    patience: 3_000_000,
    requestMicros: 5_000_000,
    workload: {
      keys: 3,
      gets: 300,
      ranges: 50,
      deletes: 50,
      txns: 100,
      compactions: 0,
      serializable: 0,
      valueBytes: 100,
    },
    tunables: {
      raft: { electionTimeoutMin: 500_000, electionTimeoutMax: 1_000_000, heartbeatInterval: 50_000 },
      limits: { snapshotMinLogBytes: 20_000, snapshotTrailingEntries: 5 },
      storage: {
        segmentBytes: 64 << 10,
        allocateStepBytes: 64 << 10,
        reserveBytes: 64 << 10,
        freePollInterval: 500_000,
      },
      transport: {},
    },
    network: healthyNetwork,
    disk: healthyDisk,
    drift: 0,
    damage: { lost: 0, entries: false, beyond: false, unbound: false },
    nemesisMicros: 0,
    nemesis: {
      crash: 0,
      crashInWrite: 0,
      snapshotTrouble: 0,
      crashAll: 0,
      pause: 0,
      isolate: 0,
      partition: 0,
      oneWay: 0,
      clog: 0,
      reset: 0,
      stallDisk: 0,
      stallLog: 0,
      rot: 0,
      spoil: 0,
      strand: 0,
      loseDisk: 0,
      fill: 0,
      stepClock: 0,
      change: 0,
      transfer: 0,
      flap: 0,
      upgrade: 0,
    },
    spares: 0,
    priorities: [1],
    releases: uniform,
    darkPowerCuts: false,
  };
}
