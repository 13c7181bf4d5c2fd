/**
 * Virtual seconds a second on one core, against the design's budget: five servers with default timers, about ten client operations a
 * virtual second, every kind of fault and all invariants. `node packages/sim/bench/world.bench.mjs [seconds]`, after `npm run build`.
 * The first worlds are not counted: a campaign lasts long enough for its code to be compiled.
 */
import process from 'node:process';
import { performance } from 'node:perf_hooks';
import { defaultOptions } from '@quorate/raft';
import { standardWatchers } from '@quorate/sim';
import { runDirected } from '../dist/campaign/run-seed.js';
import { randomStreams } from '../dist/random.js';
import { Nemesis } from '../dist/swarm/nemesis.js';
import { drawOptions } from '../dist/swarm/options.js';

const BUDGET = 1_000;
const WARM_UP = 4;
const seconds = Number(process.argv[2] ?? 20);

/** The servers as they come, and faults in the proportions of an ordinary seed. */
function optionsOf(seed) {
  const drawn = drawOptions(randomStreams(seed).swarm, { servers: 5, faultSeconds: 300 });
  return {
    ...drawn,
    clients: 5,
    spares: 0,
    // A call takes some milliseconds, so this is the pause between two of one client.
    thinkMicros: 500_000,
    tunables: { ...drawn.tunables, raft: { ...defaultOptions }, limits: {}, transport: {} },
    network: { loss: 10, duplication: 10, reordering: 20, reorderMicros: 20_000, latency: [50, 300] },
    nemesisMicros: 5_000_000,
    nemesis: {
      crash: 3,
      crashInWrite: 3,
      snapshotTrouble: 0,
      crashAll: 1,
      pause: 2,
      isolate: 2,
      partition: 2,
      oneWay: 2,
      clog: 1,
      reset: 2,
      stallDisk: 1,
      stallLog: 0,
      rot: 1,
      spoil: 0,
      strand: 0,
      loseDisk: 0,
      fill: 1,
      stepClock: 1,
      change: 0,
      transfer: 0,
      flap: 0,
    },
  };
}

let virtual = 0;
let steps = 0;
let calls = 0;
let began = performance.now();
for (let seed = 0; seed < WARM_UP || performance.now() - began < seconds * 1000; seed++) {
  if (seed === WARM_UP) {
    [virtual, steps, calls] = [0, 0, 0];
    began = performance.now();
  }
  const options = optionsOf(seed);
  const nemesis = (world, budget) => new Nemesis(world, randomStreams(seed).schedule, options, budget);
  const result = runDirected(seed, options, nemesis, standardWatchers);
  if (result.violation !== null || result.crash !== null) {
    console.log(`seed ${seed}: ${result.violation?.message ?? result.crash}`);
    process.exitCode = 1;
  }
  virtual += result.virtualMicros / 1_000_000;
  steps += result.steps;
  calls += result.history.length;
}
const elapsed = (performance.now() - began) / 1000;
const rate = virtual / elapsed;
console.log(
  `${virtual.toFixed(0)} virtual seconds in ${elapsed.toFixed(1)} s: ${rate.toFixed(0)} a second, ${(rate / BUDGET).toFixed(2)} of the budget`,
);
console.log(
  `${(steps / elapsed).toFixed(0)} steps a second, ${(calls / virtual).toFixed(1)} client operations a virtual second`,
);
