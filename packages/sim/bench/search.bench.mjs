/**
 * Successors a second of the breadth-first search, against the design's budget: three servers, symmetry on, one core. `node
 * packages/sim/bench/search.bench.mjs [seconds]`, after `npm run build`. User CPU time, since the machine may be busy.
 */
import process from 'node:process';
import { BreadthFirst, CoreWorld } from '@quorate/sim';

const BUDGET = 50_000;
const seconds = Number(process.argv[2] ?? 15);

const spaces = {
  'elections and a request, writes at once': { disk: 'atOnce', budgets: { terms: 2, elections: 2, requests: 1 } },
  'writes as steps, one crash': {
    raft: { stableLeadership: false },
    lost: ['heartbeat', 'heartbeatReply'],
    budgets: { terms: 2, elections: 2, requests: 0, crashes: 1 },
  },
};

let slowest = Number.POSITIVE_INFINITY;
for (const [name, options] of Object.entries(spaces)) {
  const search = new BreadthFirst(new CoreWorld({ servers: 3, timing: 'order', ...options }), {
    maxFrontier: 2_000_000,
  });
  const began = process.cpuUsage();
  const used = () => process.cpuUsage(began).user / 1e6;
  while (!search.advance(2_000) && used() < seconds);
  const { states, successors, depth } = search.progress;
  const rate = Math.round(successors / used());
  slowest = Math.min(slowest, rate);
  console.log(
    `${name}: ${rate} successors a second, ${Math.round(states / used())} distinct states a second, depth ${depth}`,
  );
}
console.log(`${slowest >= BUDGET ? 'within' : 'BELOW'} the budget of ${BUDGET} successors a second`);
if (slowest < BUDGET) process.exitCode = 1;
