// Three servers in one process. Clients count to 3,000 through sessions while leaders are closed and opened again; every increment counts once.
//   node exactly-once.mjs
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSession, RaftNode, withSessions } from '@quorate/runtime';
import { nodeEnvironment, stderrLogger } from '@quorate/runtime/node';

const text = { encode: (it) => new TextEncoder().encode(it), decode: (it) => new TextDecoder().decode(it) };
const answers = { encode: (sum) => text.encode(String(sum)), decode: (bytes) => Number(text.decode(bytes)) };

class Counter {
  kind = 'memory';
  sum = 0;
  applied = 0;

  appliedIndex() {
    return this.applied;
  }

  apply({ index, data }) {
    this.applied = index;
    this.sum += Number(text.decode(data));
    return this.sum;
  }

  openSnapshot() {
    const slices = [answers.encode(this.sum)];
    return { next: () => slices.shift() ?? null, close: () => {} };
  }

  beginRestore() {
    let sum = 0;
    return {
      write: (slice) => {
        sum = answers.decode(slice);
      },
      finish: (applied) => Object.assign(this, { sum, applied }),
      abort: () => {},
    };
  }
}

const firstPort = Number(process.argv[2] ?? '7111');
const folder = mkdtempSync(join(tmpdir(), 'quorate-exactly-once-'));
const initialCluster = [0, 1, 2].map((n) => ({ id: `c${n}`, address: `127.0.0.1:${firstPort + n}` }));
const nodes = [];

async function open(n) {
  const { id, address: listen } = initialCluster[n];
  const environment = nodeEnvironment({ dataDirectory: join(folder, id), logger: stderrLogger('error') });
  const stateMachine = withSessions(new Counter(), { answers });
  nodes[n] = await RaftNode.open({ id, listen, initialCluster, environment, stateMachine });
}

async function disturb(rounds) {
  for (let round = 0; round < rounds; round++) {
    await new Promise((resolve) => setTimeout(resolve, 300));
    const leader = nodes.findIndex((node) => node.isLeader);
    if (leader < 0) continue;
    await nodes[leader].close();
    await open(leader);
  }
}

await Promise.all([0, 1, 2].map(open));
let attempts = 0;
// Whatever server is up at the time: the session does not care which.
const servers = [0, 1, 2].map((n) => ({
  environment: nodes[n].environment,
  propose: (command, options) => {
    attempts++;
    return nodes[n].propose(command, options);
  },
}));
const sessions = await Promise.all([1, 2, 3].map(() => openSession(servers)));
const counting = sessions.map(async (session) => {
  for (let round = 0; round < 20; round++) {
    await Promise.all(Array.from({ length: 50 }, () => session.propose(text.encode('1'))));
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
});
await Promise.all([...counting, disturb(4)]);
const sum = await sessions[0].propose(text.encode('0'));
await Promise.all(sessions.map((session) => session.close()));
console.log(`counted to ${sum} with ${attempts} attempts`);
await Promise.all(nodes.map((node) => node.close()));
rmSync(folder, { recursive: true });
