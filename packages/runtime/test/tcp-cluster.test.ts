import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RaftNode } from '@quorate/runtime';
import { nodeEnvironment } from '@quorate/runtime/node';
import { afterEach, describe, expect, it } from 'vitest';
import { type CounterResult, command, Journal } from './support/counter.ts';
import { freePorts } from './support/free-ports.ts';

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
            raft: quick,
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
});

async function leaderOf(nodes: readonly RaftNode<CounterResult>[]): Promise<RaftNode> {
  for (;;) {
    const leader = nodes.find((node) => node.isLeader);
    if (leader !== undefined && nodes.every((node) => node.leader === leader.id)) return leader;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
