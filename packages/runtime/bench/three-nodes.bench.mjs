// Three servers, a process each, over loopback TCP and a real disk: how many commands a second become durable on a majority and
// applied. The load comes from inside the leader's process, so neither a client nor its protocol is measured.
//
//   npx tsc -b && node packages/runtime/bench/three-nodes.bench.mjs [--bytes 256] [--seconds 5]
import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';

if (process.send === undefined) await conduct();
else process.once('message', (options) => void serve(options));

async function conduct() {
  const { values } = parseArgs({
    options: { bytes: { type: 'string', default: '256' }, seconds: { type: 'string', default: '5' } },
  });
  const directory = mkdtempSync(join(tmpdir(), 'quorate-bench-'));
  const ports = await freePorts(3);
  const initialCluster = ports.map((port, i) => ({ id: `s${i + 1}`, address: `127.0.0.1:${port}` }));
  const children = initialCluster.map(({ id, address }) => {
    const child = fork(import.meta.filename ?? new URL(import.meta.url).pathname);
    child.send({ id, listen: address, initialCluster, directory: join(directory, id), ...values });
    return child;
  });
  const ends = children.map((child) => new Promise((resolve) => child.once('exit', resolve)));
  // The leader ends when it has measured; nobody else does by itself.
  await Promise.race(ends);
  for (const child of children) if (child.connected) child.disconnect();
  await Promise.all(ends);
  rmSync(directory, { recursive: true, force: true });
}

async function serve({ id, listen, initialCluster, directory, bytes, seconds }) {
  const { RaftNode } = await import('@quorate/runtime');
  const { nodeEnvironment } = await import('@quorate/runtime/node');
  let applied = 0;
  const node = await RaftNode.open({
    id,
    listen,
    initialCluster,
    environment: nodeEnvironment({ dataDirectory: directory, logger: { log: () => undefined } }),
    stateMachine: {
      kind: 'memory',
      appliedIndex: () => applied,
      apply: ({ index }) => {
        applied = index;
        return index;
      },
      openSnapshot: () => ({ next: () => null, close: () => undefined }),
      beginRestore: () => ({ write: () => undefined, finish: () => undefined, abort: () => undefined }),
    },
    raft: { electionTimeoutMin: 300_000, electionTimeoutMax: 600_000, heartbeatInterval: 50_000 },
  });
  process.on('disconnect', () => process.exit(0));
  while (node.leader === null) await new Promise((resolve) => setTimeout(resolve, 10));
  if (!node.isLeader) return;
  console.log(`${bytes} B commands, ${seconds} s each; latency in µs`);
  console.log('in flight      ops/s      p50      p99      cpu of the leader');
  for (const inFlight of [1, 16, 64, 256, 1024]) await load(node, inFlight, Number(bytes), Number(seconds));
  await reads(node, 256, Number(seconds));
  process.disconnect();
}

/** Keeps so many commands in flight, each answered by the next. */
function load(node, inFlight, bytes, seconds) {
  const command = new Uint8Array(bytes).fill(120);
  return measured(`${inFlight}`.padStart(9), inFlight, seconds, (done) => {
    node.proposeWith(command, (outcome) => {
      if (outcome.kind !== 'applied') throw new Error(`${outcome.kind}: ${outcome.message}`);
      done();
    });
  });
}

function reads(node, inFlight, seconds) {
  return measured(`reads ${inFlight}`, inFlight, seconds, (done) => {
    node.readBarrierWith((outcome) => {
      if (outcome.kind !== 'ready') throw new Error(`${outcome.kind}: ${outcome.message}`);
      done();
    });
  });
}

async function measured(label, inFlight, seconds, operation) {
  const latencies = [];
  const warmUntil = performance.now() + 500;
  const until = warmUntil + seconds * 1000;
  let cpu = process.cpuUsage();
  let counting = false;
  await new Promise((resolve) => {
    let running = inFlight;
    const next = () => {
      const start = performance.now();
      if (start > until) {
        running--;
        if (running === 0) resolve();
        return;
      }
      if (!counting && start > warmUntil) {
        counting = true;
        cpu = process.cpuUsage();
      }
      operation(() => {
        if (counting) latencies.push(performance.now() - start);
        next();
      });
    };
    for (let i = 0; i < inFlight; i++) next();
  });
  const used = process.cpuUsage(cpu);
  latencies.sort((a, b) => a - b);
  const at = (share) => Math.round((latencies[Math.floor(latencies.length * share)] ?? 0) * 1000);
  const perSecond = Math.round(latencies.length / seconds);
  const load = Math.round((used.user + used.system) / (seconds * 10_000));
  console.log(
    `${label} ${String(perSecond).padStart(10)} ${String(at(0.5)).padStart(8)} ${String(at(0.99)).padStart(8)} ${String(load).padStart(7)} %`,
  );
}

async function freePorts(count) {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(
    servers.map(
      (server) => new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server.address().port))),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
