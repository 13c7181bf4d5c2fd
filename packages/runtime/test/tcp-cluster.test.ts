import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '@quorate/processes';
import { RaftNode } from '@quorate/runtime';
import { nodeEnvironment } from '@quorate/runtime/node';
import { afterEach, describe, expect, it } from 'vitest';
import { type CounterResult, command, Journal } from './support/counter.ts';
import { seededRandom } from './support/virtual-world.ts';

/** For a server alone, whose leadership nothing can disturb. With peers, a busy machine could look like a dead one. */
const quick = { electionTimeoutMin: 150_000, electionTimeoutMax: 300_000, heartbeatInterval: 30_000 };

describe('three servers over TCP and a real disk', () => {
  const directory = mkdtempSync(join(tmpdir(), 'quorate-node-'));
  const open: RaftNode<CounterResult>[] = [];
  afterEach(async () => {
    await Promise.all(open.splice(0).map((node) => node.close()));
    rmSync(directory, { recursive: true, force: true });
  });

  it('replicate, read, and continue where they were after all have stopped', async () => {
    const ports = await freePorts(3);
    const initialCluster = ports.map((port, position) => ({ id: `s${position + 1}`, address: `127.0.0.1:${port}` }));
    const lines: string[] = [];
    const start = async (machines: readonly Journal[]): Promise<RaftNode<CounterResult>[]> => {
      const nodes = await Promise.all(
        initialCluster.map(({ id, address }, position) =>
          RaftNode.open({
            id,
            listen: address,
            initialCluster,
            environment: nodeEnvironment({
              dataDirectory: join(directory, id),
              logger: { log: (level, message) => lines.push(`${id} ${level} ${message}`) },
            }),
            stateMachine: machines[position] ?? new Journal(),
          }),
        ),
      );
      open.push(...nodes);
      return nodes;
    };
    const machines = [new Journal(), new Journal(), new Journal()];
    let nodes = await start(machines);
    await leaderOf(nodes);
    const results = await Promise.all(
      nodes.flatMap((node) => Array.from({ length: 100 }, (_, i) => node.propose(command(`${node.id}-${i}`)))),
    );
    expect(new Set(results.map((result) => result.index)).size).toBe(300);
    for (const node of nodes) await node.readBarrier();
    for (const machine of machines) expect(machine.commands).toEqual(machines[0]?.commands);
    expect(new Set(machines[0]?.commands).size).toBe(300);

    await Promise.all(open.splice(0).map((node) => node.close()));
    const again = [new Journal(), new Journal(), new Journal()];
    nodes = await start(again);
    await leaderOf(nodes);
    await nodes[1]?.propose(command('after'));
    for (const node of nodes) await node.readBarrier();
    for (const machine of again) expect(machine.commands).toEqual([...(machines[0]?.commands ?? []), 'after']);
  });

  it('do not mind rubbish on their peer port', async () => {
    const [port = 0] = await freePorts(1);
    const address = `127.0.0.1:${port}`;
    const machine = new Journal();
    const node = await RaftNode.open({
      id: 'only',
      listen: address,
      initialCluster: [{ id: 'only', address }],
      environment: nodeEnvironment({ dataDirectory: join(directory, 'only'), logger: { log: () => undefined } }),
      stateMachine: machine,
      raft: quick,
      transport: { maxInboundConnections: 16 },
    });
    open.push(node);
    await leaderOf([node]);
    const random = seededRandom(7);
    const strangers = Array.from({ length: 100 }, () => stranger(port, () => random.uint32() & 0xff));
    for (let i = 0; i < 50; i++) await node.propose(command(`${i}`));
    await Promise.all(strangers);
    await node.readBarrier();
    expect(machine.commands).toHaveLength(50);
  });
});

/** Sends rubbish until it is thrown out. */
function stranger(port: number, byte: () => number): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(Buffer.from(Array.from({ length: 2000 }, byte))));
    socket.on('error', () => socket.destroy());
    socket.on('close', () => resolve());
    socket.resume();
  });
}

async function leaderOf(nodes: readonly RaftNode<CounterResult>[]): Promise<RaftNode> {
  for (;;) {
    const leader = nodes.find((node) => node.isLeader);
    if (leader !== undefined && nodes.every((node) => node.leader === leader.id)) return leader;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
