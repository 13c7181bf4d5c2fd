/**
 * What a run is like, drawn from its seed: which faults there are and how strong, how the servers are tuned, what clients ask for.
 * Most seeds have some of the faults only: all at once hide each other.
 */
import type { DiskFaults } from '../disk/index.ts';
import { healthyDisk } from '../disk/index.ts';
import type { RandomStream } from '../random.ts';
import { healthyNetwork, type NetworkFaults } from '../world/network.ts';
import type { ServerTunables } from '../world/process.ts';
import type { WorkloadOptions } from '../world/workload.ts';
import { drawReleases, type ReleaseOptions } from './releases.ts';

/** What the adversary may do, each with its weight; 0 for never. */
export interface NemesisWeights {
  readonly crash: number;
  /** A crash in the middle of a write: between write, sync and send. */
  readonly crashInWrite: number;
  /** Trouble in the middle of the transfer of a snapshot. */
  readonly snapshotTrouble: number;
  readonly crashAll: number;
  readonly pause: number;
  readonly isolate: number;
  readonly partition: number;
  readonly oneWay: number;
  readonly clog: number;
  readonly reset: number;
  readonly stallDisk: number;
  readonly stallLog: number;
  readonly rot: number;
  /** Damage to entries that are still needed, and restarts that meet it. */
  readonly spoil: number;
  /** The same, where who has the entry whole comes back last, and who never had it before that. */
  readonly strand: number;
  readonly loseDisk: number;
  readonly fill: number;
  readonly stepClock: number;
  /** The membership is to change: servers join, leave, change their part. */
  readonly change: number;
  /** Leadership is to go elsewhere. */
  readonly transfer: number;
  /** A server's links come and go, several times in succession. */
  readonly flap: number;
  /** A server is stopped and started with a later release, if there is one for it. */
  readonly upgrade: number;
}

export interface DamageOptions {
  /** Servers whose disks may be ruined; cut to what a majority can do without. */
  readonly lost: number;
  /** Whether entries in the logs of the others may be damaged. */
  readonly entries: boolean;
  /** More may be destroyed than can be survived. */
  readonly beyond: boolean;
  /** One of the `lost` loses its disk in the moment in which its first leader, and nobody else, hears of it. */
  readonly unbound: boolean;
}

export interface RunOptions {
  /** Servers that found the cluster. Changes of membership leave as many voters at least. */
  readonly servers: number;
  /** Servers that wait to be let in. */
  readonly spares: number;
  /** How long faults go on, in virtual microseconds. */
  readonly faultMicros: number;
  readonly clients: number;
  readonly thinkMicros: number;
  readonly patience: number;
  /** How long a server works on a request at most. Less than the client's patience: the server says how it ended. Microseconds. */
  readonly requestMicros: number;
  readonly workload: WorkloadOptions;
  readonly tunables: ServerTunables;
  /** How much each server is preferred as leader, in order and from the first again. */
  readonly priorities: readonly number[];
  readonly releases: ReleaseOptions;
  /** A machine whose power is cut answers nobody and resets nothing until its server starts again. */
  readonly darkPowerCuts: boolean;
  readonly network: NetworkFaults;
  readonly disk: DiskFaults;
  /** Largest drift of a clock, in parts in a million. */
  readonly drift: number;
  readonly damage: DamageOptions;
  /** Mean pause between two acts of the adversary. Microseconds. */
  readonly nemesisMicros: number;
  readonly nemesis: NemesisWeights;
}

/** What the one who starts a campaign may fix; the rest is drawn. */
export interface RunLimits {
  readonly servers?: number;
  readonly faultSeconds?: number;
}

const SECOND = 1_000_000;
const sizes = [1, 2, 3, 3, 3, 3, 4, 5, 5, 5, 5, 7] as const;

export function drawOptions(stream: RandomStream, limits: RunLimits = {}): RunOptions {
  // Drawn whether or not they are used, so that fixing one shifts no other.
  const servers = stream.pick(sizes);
  const seconds = stream.between(10, 60);
  const disk = drawDisk(stream);
  const clocks = clocksOf(seconds);
  const patience = stream.pick([1, 3, 7]) * SECOND;
  const drawn = {
    servers: limits.servers ?? servers,
    faultMicros: (limits.faultSeconds ?? seconds) * SECOND,
    clients: stream.between(2, 6),
    thinkMicros: stream.pick([50_000, 300_000, 500_000]),
    patience,
    requestMicros: stream.pick([SECOND / 5, SECOND, patience + 2 * SECOND, patience + 2 * SECOND]),
    workload: drawWorkload(stream),
    tunables: withLeases(drawTunables(stream), clocks),
    network: drawNetwork(stream),
    disk,
    drift: (clocks?.drift ?? 0) + stream.below(2) * stream.below(500),
    damage: {
      lost: stream.below(3),
      entries: stream.below(2) === 0,
      beyond: stream.below(20) === 0,
      unbound: stream.below(3) === 0,
    },
    nemesisMicros: stream.pick([500_000, 2_000_000, 5_000_000]),
    nemesis: drawNemesis(stream),
  };
  const spares = stream.between(1, 3);
  const { raft, priorities, flap } = drawElections(stream);
  const { releases, upgrade } = drawReleases(stream);
  const darkPowerCuts = stream.below(4) === 0;
  return {
    ...drawn,
    // Where the membership does not change, nobody waits to be let in.
    spares: drawn.nemesis.change === 0 ? 0 : spares,
    tunables: { ...drawn.tunables, raft: { ...drawn.tunables.raft, ...raft } },
    priorities,
    releases,
    darkPowerCuts,
    nemesis: { ...drawn.nemesis, flap, upgrade },
  };
}

interface Elections {
  readonly raft: { readonly maxElectionBackoff: number };
  readonly priorities: readonly number[];
  readonly flap: number;
}

/** Nobody has priority 0: where only such a server is whole, nobody can lead. */
function drawElections(stream: RandomStream): Elections {
  return {
    raft: { maxElectionBackoff: stream.pick([1, 3, 8, 8]) },
    priorities: stream.pick([[1], [1], [1], [4, 1], [1, 2, 16]]),
    flap: stream.pick([0, 0, 1, 4]),
  };
}

/** How badly clocks run where leases are used, in parts in a million. */
interface Clocks {
  readonly drift: number;
}

/** A third of the runs have lease reads. Of a number that is drawn anyway: one more draw would make every seed another run. */
function clocksOf(seconds: number): Clocks | null {
  return seconds % 3 === 0 ? { drift: leaseDrifts[seconds % leaseDrifts.length] ?? 0 } : null;
}

const leaseDrifts = [0, 20_000, 100_000, 200_000] as const;
/** The most that `drift` is beyond that. */
const moreDrift = 500;

function withLeases(tunables: ServerTunables, clocks: Clocks | null): ServerTunables {
  const { raft } = tunables;
  if (clocks === null || raft?.stableLeadership === false) return tunables;
  return { ...tunables, raft: { ...raft, leaseReads: true, maxClockDrift: clocks.drift + moreDrift } };
}

function drawWorkload(stream: RandomStream): WorkloadOptions {
  return {
    keys: stream.pick([1, 3, 8, 20]),
    gets: stream.pick([100, 300, 600]),
    ranges: stream.pick([0, 50]),
    deletes: stream.pick([0, 50, 150]),
    txns: stream.pick([0, 100, 300]),
    compactions: stream.pick([0, 20]),
    serializable: stream.pick([0, 200]),
    valueBytes: stream.pick([0, 100, 2000]),
  };
}

/** A permille that is mostly zero. */
function some(stream: RandomStream, most: number): number {
  const isOn = stream.below(3) === 0;
  const drawn = 1 + stream.below(most);
  return isOn ? drawn : 0;
}

function drawNetwork(stream: RandomStream): NetworkFaults {
  const slow = stream.below(4) === 0;
  return {
    loss: some(stream, 100),
    duplication: some(stream, 100),
    reordering: some(stream, 200),
    reorderMicros: stream.pick([1_000, 20_000, 500_000]),
    latency: slow ? [1_000, 30_000] : healthyNetwork.latency,
  };
}

function drawDisk(stream: RandomStream): DiskFaults {
  const ill = stream.below(2) === 0;
  const drawn: DiskFaults = {
    readError: some(stream, 3),
    writeError: some(stream, 2),
    syncError: some(stream, 2),
    slow: some(stream, 100),
    slowMicros: stream.pick([10_000, 200_000, 1_000_000]),
    stuck: some(stream, 1),
    bitRot: some(stream, 5),
    misdirectedWrite: some(stream, 2),
    lostWrite: some(stream, 2),
    misdirectedRead: some(stream, 5),
  };
  return ill ? drawn : healthyDisk;
}

function drawTunables(stream: RandomStream): ServerTunables {
  const electionTimeoutMin = stream.pick([150_000, 500_000, 1_000_000, 1_700_000]);
  const maxAppendBytes = stream.pick([64, 1024, 1 << 20]);
  return {
    raft: {
      electionTimeoutMin,
      electionTimeoutMax: stream.below(3) === 0 ? Math.floor(electionTimeoutMin * 1.2) : electionTimeoutMin * 2,
      heartbeatInterval: Math.floor(electionTimeoutMin / stream.pick([3, 5, 10])),
      commitNoticeDelay: stream.pick([0, 2_000, 2_000]),
      stableLeadership: stream.below(8) > 0,
      maxAppendBytes,
      maxInflightMessages: stream.pick([1, 4, 256]),
      maxInflightBytes: stream.pick([256, 4096, 16 << 20]),
      maxLogCacheBytes: stream.pick([0, 2048, 16 << 20]),
    },
    limits: {
      snapshotMinLogBytes: stream.pick([1_000, 4_000, 20_000, 64 << 20]),
      snapshotLogRatio: 1,
      snapshotTrailingEntries: stream.pick([0, 5, 100]),
      snapshotRetryAfter: SECOND,
      leaderLossGrace: stream.pick([0, SECOND / 2, 5 * SECOND]),
    },
    storage: {
      segmentBytes: stream.pick([64 << 10, 64 << 10, 1 << 20]),
      allocateStepBytes: 64 << 10,
      reserveBytes: 64 << 10,
      freePollInterval: 500_000,
      freePollBytes: 64 << 10,
      maxTailBytes: stream.pick([0, 4096, 8 << 20]),
      snapshotSyncBytes: stream.pick([1024, 4 << 20]),
    },
    transport: { snapshotChunkBytes: stream.pick([512, 256 << 10]) },
  };
}

function drawNemesis(stream: RandomStream): Omit<NemesisWeights, 'flap' | 'upgrade'> {
  const weight = (most: number): number => (stream.below(5) < 3 ? stream.below(most + 1) : 0);
  return {
    crash: weight(10),
    crashInWrite: weight(10),
    snapshotTrouble: weight(4),
    crashAll: weight(2),
    pause: weight(6),
    isolate: weight(6),
    partition: weight(6),
    oneWay: weight(6),
    clog: weight(4),
    reset: weight(6),
    stallDisk: weight(4),
    stallLog: weight(3),
    rot: weight(4),
    spoil: weight(4),
    strand: weight(3),
    loseDisk: weight(1),
    fill: weight(3),
    stepClock: weight(3),
    change: weight(25),
    transfer: weight(4),
  };
}
