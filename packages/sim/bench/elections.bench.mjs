/**
 * How long a cluster is without a leader for each failure of one, with timeouts that adapt and with fixed ones: `npm run bench:elections [-- RUNS]`.
 * Prints a table and writes docs/images/elections.svg. Virtual time, so the same on every machine.
 */
import { writeFileSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { runDirected } from '../dist/campaign/run-seed.js';
import { randomStreams } from '../dist/random.js';
import { drawOptions } from '../dist/swarm/options.js';
import { carryOut } from '../dist/world/action.js';
import { healthyDisk } from '../dist/disk/index.js';

const MILLI = 1_000;
const SECOND = 1_000_000;
const SERVERS = 5;
const runs = Number(process.argv[2] ?? 60);
const chart = fileURLToPath(new URL('../../../docs/images/elections.svg', import.meta.url));

/** Timeouts in milliseconds; the second ones are tight for their network, the third too tight: two rounds of answers hardly fit. */
const tunings = [
  { name: '1–2 s, 0.1–0.3 ms', timeouts: [1000, 2000], heartbeat: 100, latency: [50, 300] },
  { name: '0.3–0.4 s, 20–60 ms', timeouts: [300, 400], heartbeat: 60, latency: [20 * MILLI, 60 * MILLI] },
  { name: '0.25–0.3 s, 40–100 ms', timeouts: [250, 300], heartbeat: 50, latency: [40 * MILLI, 100 * MILLI] },
];

const failures = [
  { name: 'one leader falls silent', failures: 1, together: 0 },
  { name: 'five leaders in succession', failures: 5, together: 0 },
  { name: 'two servers at once, five times', failures: 5, together: 1 },
];

/** Cuts leaders off, without a word to anybody, and notes how long it takes until another one leads. */
class Executioner {
  actions = [];
  /** Microseconds without a leader, one for each failure. */
  gaps = [];
  elections = 0;
  #world;
  #faults;
  #left;
  #together;
  #since = null;
  #isOver = false;

  constructor(world, faults, { failures: count, together }) {
    this.#world = world;
    this.#faults = faults;
    this.#left = count;
    this.#together = together;
  }

  get isDone() {
    return this.#isOver;
  }

  start() {
    this.#world.network.faults = this.#faults;
    this.#world.clock.afterFromOutside(SECOND, () => this.#fell());
  }

  stop() {
    this.#isOver = true;
  }

  onFatal() {
    throw new Error('A server stopped by itself.');
  }

  onOutput(_server, output) {
    const led = output.events.some(({ kind, role }) => kind === 'role' && role === 'leader');
    if (this.#since !== null) this.elections += output.events.filter(isCandidacy).length;
    if (!led || this.#since === null) return;
    const { clock } = this.#world;
    this.gaps.push(clock.now - this.#since);
    this.#since = null;
    if (this.#left === 0) this.#isOver = true;
    // The next one falls before it has settled in.
    else clock.afterFromOutside(SECOND, () => this.#fell());
  }

  #fell() {
    const { network, servers, clock } = this.#world;
    const leader = servers.find(({ node }) => node?.isLeader === true);
    if (this.#isOver) return;
    if (leader === undefined) {
      // Deposed meanwhile; the next one will do.
      clock.afterFromOutside(SECOND, () => this.#fell());
      return;
    }
    network.heal();
    const others = servers.filter((server) => server !== leader);
    // Whoever fell before is back; with the leader goes one that could have followed it.
    for (const fallen of [leader, ...others.slice(0, this.#together)]) this.#cutOff(fallen);
    this.#since = clock.now;
    this.#left -= 1;
  }

  #cutOff(fallen) {
    for (const { id } of this.#world.servers) {
      if (id === fallen.id) continue;
      carryOut(this.#world, { kind: 'cut', from: id, to: fallen.id, how: 'silent' });
      carryOut(this.#world, { kind: 'cut', from: fallen.id, to: id, how: 'silent' });
    }
  }
}

function isCandidacy({ kind, role }) {
  return kind === 'role' && role === 'candidate';
}

function measure({ timeouts, heartbeat, latency }, failure, maxElectionBackoff) {
  const gaps = [];
  let elections = 0;
  for (let seed = 1; seed <= runs; seed++) {
    const drawn = drawOptions(randomStreams(seed).swarm, { servers: SERVERS, faultSeconds: 600 });
    const [electionTimeoutMin, electionTimeoutMax] = timeouts.map((millis) => millis * MILLI);
    const raft = { electionTimeoutMin, electionTimeoutMax, heartbeatInterval: heartbeat * MILLI, maxElectionBackoff };
    const options = {
      ...drawn,
      spares: 0,
      clients: 1,
      thinkMicros: SECOND,
      priorities: [1],
      darkPowerCuts: false,
      releases: { ...drawn.releases, newest: [[1]] },
      drift: 0,
      disk: healthyDisk,
      damage: { lost: 0, entries: false, beyond: false, unbound: false },
      network: { loss: 0, duplication: 0, reordering: 0, reorderMicros: 0, latency },
      tunables: { raft, limits: {}, storage: drawn.tunables.storage, transport: {} },
    };
    let executioner = null;
    const make = (world) => {
      executioner = new Executioner(world, options.network, failure);
      return executioner;
    };
    const { violation, crash } = runDirected(seed, options, make, () => []);
    if (violation !== null || crash !== null) throw new Error(`seed ${seed}: ${violation?.message ?? crash}`);
    if (executioner.gaps.length !== failure.failures) throw new Error(`seed ${seed}: not every leader was replaced`);
    gaps.push(...executioner.gaps);
    elections += executioner.elections;
  }
  gaps.sort((a, b) => a - b);
  const at = (share) => gaps[Math.min(gaps.length - 1, Math.floor(gaps.length * share))] / SECOND;
  return { median: at(0.5), p99: at(0.99), worst: at(1), elections: elections / gaps.length };
}

const rows = [];
for (const tuning of tunings) {
  for (const failure of failures) {
    for (const [kind, backoff] of [
      ['fixed', 1],
      ['adaptive', 8],
    ]) {
      const found = measure(tuning, failure, backoff);
      rows.push({ tuning: tuning.name, failure: failure.name, kind, ...found });
    }
  }
}

console.log('| timeouts and network | failure | timeouts | median | p99 | longest | candidacies a failure |');
console.log('|---|---|---|---|---|---|---|');
for (const { tuning, failure, kind, median, p99, worst, elections } of rows) {
  const [m, p, w] = [median, p99, worst].map((seconds) => `${seconds.toFixed(2)} s`);
  console.log(`| ${tuning} | ${failure} | ${kind} | ${m} | ${p} | ${w} | ${elections.toFixed(2)} |`);
}
writeFileSync(chart, drawn(rows));

/** Bars: the median solid, up to p99 pale. */
function drawn(all) {
  const [left, width, row, top] = [330, 460, 26, 56];
  const most = Math.max(...all.map(({ p99 }) => p99));
  const x = (seconds) => Math.round((seconds / most) * width);
  const height = top + all.length * row + 40;
  const colours = { fixed: '#b45309', adaptive: '#1d4ed8' };
  const bars = all.map(({ tuning, failure, kind, median, p99 }, at) => {
    const y = top + at * row;
    const label = kind === 'fixed' ? `${failure} (${tuning})` : '';
    return [
      `<text x="${left - 8}" y="${y + row}" text-anchor="end">${label}</text>`,
      `<rect x="${left}" y="${y + 4}" width="${x(p99)}" height="${row - 8}" fill="${colours[kind]}" opacity="0.3"/>`,
      `<rect x="${left}" y="${y + 4}" width="${x(median)}" height="${row - 8}" fill="${colours[kind]}"/>`,
      `<text x="${left + x(p99) + 6}" y="${y + row - 9}">${kind}: ${median.toFixed(2)} s, p99 ${p99.toFixed(2)} s</text>`,
    ].join('\n');
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${left + width + 210} ${height}" font-family="sans-serif" font-size="12" fill="#111">
<rect width="100%" height="100%" fill="#fff"/>
<text x="16" y="26" font-size="16">Time without a leader, for each failure (solid: median; pale: 99th percentile)</text>
${bars.join('\n')}
<text x="${left}" y="${height - 14}" fill="#555">${runs} runs of each, five servers, virtual time</text>
</svg>
`;
}
