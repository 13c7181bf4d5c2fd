/** A small world in which nothing goes wrong but what a test does to it, watched and checked as every world of a campaign is. */
import type { Message } from '@quorate/raft';
import { blindWatcher, standardWatchers, type WorldWatcher } from '@quorate/sim';
import { expect } from 'vitest';
import { runDirected, type SeedResult } from '../../src/campaign/run-seed.ts';
import { healthyDisk } from '../../src/disk/index.ts';
import type { Adversary } from '../../src/swarm/adversary.ts';
import type { NemesisWeights, RunOptions } from '../../src/swarm/options.ts';
import { uniform } from '../../src/swarm/releases.ts';
import { type Action, type ActionKind, carryOut } from '../../src/world/action.ts';
import { healthyNetwork } from '../../src/world/network.ts';
import type { ServerProcess } from '../../src/world/process.ts';
import type { World } from '../../src/world/world.ts';

export const milli = 1000;
export const second = 1_000_000;

const nothing: NemesisWeights = {
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
};

/** Three servers, two clients that write often, elections within a second. */
export const calm: RunOptions = {
  servers: 3,
  spares: 0,
  priorities: [1],
  releases: uniform,
  darkPowerCuts: false,
  clients: 2,
  faultMicros: 5 * second,
  thinkMicros: 20 * milli,
  patience: 3 * second,
  requestMicros: 5 * second,
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
    raft: { electionTimeoutMin: 500 * milli, electionTimeoutMax: second, heartbeatInterval: 50 * milli },
    limits: { snapshotMinLogBytes: 64 << 20 },
    storage: {
      segmentBytes: 64 << 10,
      allocateStepBytes: 64 << 10,
      reserveBytes: 64 << 10,
      freePollInterval: 500 * milli,
    },
    transport: {},
  },
  network: healthyNetwork,
  disk: healthyDisk,
  drift: 0,
  damage: { lost: 0, entries: false, beyond: false, unbound: false },
  nemesisMicros: 0,
  nemesis: nothing,
};

/** What a test sees of the world, and what it does to it. Times are microseconds. */
export interface Stage {
  readonly world: World;
  /** Every message that left, and every one that a core was given, in order. */
  readonly sent: readonly Passed[];
  readonly received: readonly Passed[];
  /** What else happened to whom: `start`, `crash`, `fatal`, `damage`, and the names of a core's inputs and events. */
  readonly events: readonly Happened[];
  leader(): ServerProcess;
  followers(): readonly ServerProcess[];
  do(action: ActionKind): void;
  later(micros: number, run: () => void): void;
  /** How much of what was to be done later was not: a check that never ran has not passed. */
  readonly waiting: number;
  /** Since a moment; `server` null for anyone. */
  happened(what: string, server: string | null, since?: number): readonly Happened[];
}

interface Passed {
  readonly at: number;
  readonly message: Message;
}

interface Happened {
  readonly at: number;
  readonly server: string;
  readonly what: string;
  readonly detail: string;
}

export interface Played {
  readonly result: SeedResult;
  readonly stage: Stage;
  readonly count: (name: string) => number;
}

/** Nothing was broken, the world healed, and the script came to its end: so a fault that must be survived ends. */
export function survived(played: Played): Played {
  expect(played.result.violation).toBeNull();
  expect(played.result.crash).toBeNull();
  expect(played.stage.waiting).toBe(0);
  return played;
}

/** Runs such a world. `act` is called once all servers are up and one leads. */
export function play(changes: Partial<RunOptions>, act: (stage: Stage) => void = () => undefined, seed = 1): Played {
  const options: RunOptions = { ...calm, ...changes };
  let script: Script | null = null;
  const result = runDirected(
    seed,
    options,
    (world) => (script = new Script(world, options, act)),
    (...made) => [...standardWatchers(...made), ...(script === null ? [] : [script.watcher])],
  );
  if (script === null) throw new Error('The world did not begin.');
  return { result, stage: script, count: (name) => result.counts.get(name) ?? 0 };
}

class Script implements Adversary, Stage {
  readonly actions: Action[] = [];
  readonly world: World;
  readonly sent: Passed[] = [];
  readonly received: Passed[] = [];
  readonly events: Happened[] = [];
  waiting = 0;
  readonly #options: RunOptions;
  readonly #act: (stage: Stage) => void;

  constructor(world: World, options: RunOptions, act: (stage: Stage) => void) {
    this.world = world;
    this.#options = options;
    this.#act = act;
  }

  start(): void {
    this.world.network.faults = this.#options.network;
    for (const server of this.world.servers) server.setDiskFaults(this.#options.disk);
    this.#onceLed();
  }

  stop(): void {
    // What a script does ends with its time.
  }

  onOutput(): void {
    // Seen by the watcher.
  }

  onFatal(): void {
    // Nobody starts a server again but the script, or the healing.
  }

  do(action: ActionKind): void {
    if (carryOut(this.world, action)) {
      this.actions.push({ ...action, at: this.world.clock.now, step: this.world.clock.steps });
    }
  }

  later(micros: number, run: () => void): void {
    this.waiting++;
    this.world.clock.afterFromOutside(micros, () => {
      this.waiting--;
      run();
    });
  }

  leader(): ServerProcess {
    const leader = this.world.servers.find(({ node }) => node?.isLeader === true);
    if (leader === undefined) throw new Error('Nobody leads.');
    return leader;
  }

  followers(): readonly ServerProcess[] {
    return this.world.servers.filter(({ node }) => node?.isLeader === false);
  }

  happened(what: string, server: string | null, since = 0): readonly Happened[] {
    return this.events.filter(
      (event) => event.what === what && event.at >= since && (server === null || event.server === server),
    );
  }

  get watcher(): WorldWatcher {
    const note = (server: string, what: string, detail = ''): void =>
      void this.events.push({ at: this.world.clock.now, server, what, detail });
    return {
      ...blindWatcher,
      onStart: (server) => note(server, 'start'),
      onCrash: (server) => note(server, 'crash'),
      onFatal: (server, code, message) => note(server, 'fatal', `${code}: ${message}`),
      onDamage: (server, { kind, path }) => note(server, 'damage', `${kind} ${path}`),
      onInput: (server, input) => {
        if (input.kind === 'message') this.received.push({ at: this.world.clock.now, message: input.message });
        note(server, input.kind, input.kind === 'timeout' ? input.name : String(input.now));
      },
      onOutput: (server, output) => {
        for (const event of output.events) note(server, event.kind, event.kind === 'role' ? event.role : '');
      },
      onSend: (_, message) => void this.sent.push({ at: this.world.clock.now, message }),
    };
  }

  #onceLed(): void {
    if (this.world.servers.some(({ node }) => node?.isLeader === true)) this.#act(this);
    else this.later(100 * milli, () => this.#onceLed());
  }
}
