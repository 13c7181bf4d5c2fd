import { rm } from 'node:fs/promises';
import { services } from '@quorate/kv/api';
import { RaftError } from '@quorate/runtime';
import { ConfigError, foundingMembers, loadConfig, StartError, startServer } from '@quorate/server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiClient } from './support/api-client.ts';
import { MemorySink, TestCluster, until } from './support/test-cluster.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (value: Uint8Array | undefined): string => new TextDecoder().decode(value);

interface RaftPage {
  readonly role: string;
  readonly term: number;
  readonly commitIndex: number;
  readonly followers: readonly { readonly name: string; readonly matchIndex: number; readonly lastContactMs: number }[];
  readonly [name: string]: unknown;
}

async function raftPageOf(address: string): Promise<RaftPage> {
  return (await (await fetch(`http://${address}/debug/raft`)).json()) as RaftPage;
}

describe('Three servers', () => {
  let cluster: TestCluster;
  const clients = new Map<string, ApiClient>();
  const client = (name: string): ApiClient => {
    const known = clients.get(name) ?? new ApiClient(cluster.address(name));
    clients.set(name, known);
    return known;
  };

  beforeAll(async () => {
    cluster = await TestCluster.start(3);
  });
  afterAll(async () => {
    for (const each of clients.values()) each.close();
    await cluster.close();
  });

  it('say when they are ready', () => {
    for (const name of cluster.names) {
      expect(cluster.lines(name).some((line) => line.includes('ready to serve client requests'))).toBe(true);
    }
  });

  it('take a write at any of them and show it at all of them', async () => {
    for (const name of cluster.names) {
      await client(name).call(services.KV.Put, { key: bytes(`written-at-${name}`), value: bytes(name) });
    }
    for (const reader of cluster.names) {
      for (const writer of cluster.names) {
        const { kvs } = await client(reader).call(services.KV.Range, { key: bytes(`written-at-${writer}`) });
        expect(text(kvs[0]?.value)).toBe(writer);
      }
    }
  });

  it('answer with the ids that etcd would have', async () => {
    const { cluster: clusterId, members } = foundingMembers(
      cluster.names.map((name) => ({ name, peerURLs: [cluster.flags(name)['listen-peer-urls'] ?? ''] })),
      'etcd-cluster',
    );
    for (const name of cluster.names) {
      const { header } = await client(name).call(services.KV.Range, { key: bytes('x'), serializable: true });
      expect(header?.clusterId).toBe(clusterId);
      expect(header?.memberId).toBe(members.find((member) => member.name === name)?.id);
      expect(header?.raftTerm).toBeGreaterThan(0);
    }
  });

  it('list the members as they published themselves', async () => {
    const lists = await Promise.all(
      cluster.names.map(async (name) => client(name).call(services.Cluster.MemberList, { linearizable: true })),
    );
    for (const { members } of lists) {
      expect(members).toEqual(lists[0]?.members);
      expect(members.map((member) => member.name).sort()).toEqual(['s1', 's2', 's3']);
      for (const member of members) {
        expect(member.clientURLs).toEqual([cluster.flags(member.name)['listen-client-urls']]);
        expect(member.peerURLs).toEqual([cluster.flags(member.name)['listen-peer-urls']]);
        expect(member.isLearner).toBe(false);
      }
      const ids = members.map((member) => member.ID);
      expect(ids).toEqual([...ids].sort((a, b) => (a < b ? -1 : 1)));
    }
  });

  it('report their status: the same leader, term and, at rest, indexes', async () => {
    const leader = await cluster.leader();
    const statuses = await Promise.all(
      cluster.names.map(async (name) => ({ name, status: await client(name).call(services.Maintenance.Status) })),
    );
    const leaderId = cluster.server(leader).memberId;
    for (const { name, status } of statuses) {
      expect(status.leader).toBe(leaderId);
      expect(status.header?.memberId).toBe(cluster.server(name).memberId);
      expect(status.version).toMatch(/^\d+\.\d+\.\d+$/);
      expect(status.raftAppliedIndex).toBeGreaterThan(0);
      expect(status.raftIndex).toBeGreaterThanOrEqual(status.raftAppliedIndex);
      expect(status.errors).toEqual([]);
      expect(status.dbSize).toBeGreaterThanOrEqual(status.dbSizeInUse);
    }
  });

  it('have no alarms, and raise none by hand', async () => {
    const { alarms } = await client('s1').call(services.Maintenance.Alarm, { action: 0 });
    expect(alarms).toEqual([]);
    await expect(client('s1').call(services.Maintenance.Alarm, { action: 1, alarm: 1 })).rejects.toMatchObject({
      status: 12,
    });
  });

  it('say of what they do not have yet that it is not implemented', async () => {
    await expect(client('s1').call(services.Lease.LeaseGrant, { TTL: 5 })).rejects.toMatchObject({ status: 12 });
    await expect(client('s1').call(services.Maintenance.HashKV)).rejects.toMatchObject({ status: 12 });
  });

  it('answer a malformed message as gRPC in Go does', async () => {
    const broken = {
      ...services.Cluster.MemberList,
      request: { ...services.Cluster.MemberList.request, encode: () => bytes('\x0a') },
    };
    await expect(client('s1').call(broken)).rejects.toMatchObject({ status: 13 });
  });

  it('are healthy, alone and together', async () => {
    for (const name of cluster.names) {
      for (const query of ['', '?serializable=true']) {
        const response = await fetch(`http://${cluster.address(name)}/health${query}`);
        expect(await response.json()).toEqual({ health: 'true', reason: '' });
      }
    }
  });

  it('show their raft to whoever looks', async () => {
    const leader = await cluster.leader();
    const page = await raftPageOf(cluster.address(leader));
    expect(page).toMatchObject({
      name: leader,
      role: 'leader',
      pid: process.pid,
      leaderName: leader,
      timeouts: { heartbeatMs: 50, electionMinMs: 850, electionMaxMs: 1000 },
    });
    expect(page.followers.map((follower) => follower.name).sort()).toEqual(
      cluster.names.filter((name) => name !== leader),
    );
    for (const follower of page.followers) expect(follower.matchIndex).toBeGreaterThan(0);
    const other = await raftPageOf(cluster.address(await cluster.follower()));
    expect(other).toMatchObject({ role: 'follower', leaderName: leader, followers: [] });
  });

  it('print what they do, by topic, and stop when told', async () => {
    const leader = await cluster.leader();
    const page = `http://${cluster.address(leader)}/debug/topics`;
    await fetch(`${page}?topics=heartbeats,writes,connections`, { method: 'PUT' });
    const newcomer = new ApiClient(cluster.address(leader));
    await newcomer.call(services.KV.Put, { key: bytes('watched'), value: bytes('x') });
    newcomer.close();
    for (const topic of ['heartbeats', 'writes', 'connections']) {
      const pattern = new RegExp(`^${topic} ${leader} \\d+\\.\\d{6}s .+`);
      await until(() => cluster.lines(leader).some((line) => pattern.test(line)));
    }
    await fetch(`${page}?topics=`, { method: 'PUT' });
    const printed = cluster.lines(leader).length;
    await client(leader).call(services.KV.Put, { key: bytes('unwatched'), value: bytes('x') });
    const later = cluster.lines(leader).slice(printed);
    expect(later.filter((line) => /^(heartbeats|writes|connections) /.test(line))).toEqual([]);
  });
});

describe('A server', () => {
  it('goes on with its data when it is started again', async () => {
    const cluster = await TestCluster.start(1);
    try {
      const before = new ApiClient(cluster.address('s1'));
      for (let index = 0; index < 100; index += 1) {
        await before.call(services.KV.Put, { key: bytes(`key ${index}`), value: bytes(`value ${index}`) });
      }
      before.close();
      await cluster.stop('s1');
      await (await cluster.start('s1')).ready;
      const after = new ApiClient(cluster.address('s1'));
      const { kvs, header } = await after.call(services.KV.Range, { key: bytes('key'), rangeEnd: bytes('kez') });
      expect(kvs.length).toBe(100);
      expect(header?.revision).toBe(101);
      const { kvs: last } = await after.call(services.KV.Range, { key: bytes('key 99') });
      expect(text(last[0]?.value)).toBe('value 99');
      after.close();
    } finally {
      await cluster.close();
    }
  });

  it('finishes what is in flight when it closes, and answers with certainty or says that it cannot', async () => {
    const cluster = await TestCluster.start(1);
    try {
      const client = new ApiClient(cluster.address('s1'));
      await client.call(services.KV.Put, { key: bytes('before'), value: bytes('x') });
      const writes = Array.from({ length: 200 }, async (_, index) =>
        client.call(services.KV.Put, { key: bytes(`w${index}`), value: bytes('x') }).then(
          () => 'done' as const,
          (error: unknown) => error,
        ),
      );
      await new Promise((resolve) => setImmediate(resolve));
      const began = performance.now();
      await cluster.stop('s1');
      expect(performance.now() - began).toBeLessThan(2000);
      const outcomes = await Promise.all(writes);
      client.close();
      await (await cluster.start('s1')).ready;
      const again = new ApiClient(cluster.address('s1'));
      const { kvs } = await again.call(services.KV.Range, { key: bytes('w'), rangeEnd: bytes('x') });
      const there = new Set(kvs.map((kv) => text(kv.key)));
      const acknowledged = outcomes.flatMap((outcome, index) => (outcome === 'done' ? [`w${index}`] : []));
      expect(acknowledged.filter((key) => !there.has(key))).toEqual([]);
      again.close();
    } finally {
      await cluster.close();
    }
  });

  it('without a majority says so: not healthy, no leader, and every write fails within its deadline', async () => {
    const cluster = await TestCluster.start(3);
    try {
      await cluster.stop('s1');
      await cluster.stop('s2');
      const address = cluster.address('s3');
      await until(async () => (await raftPageOf(address))['leader'] === null);
      const health = await fetch(`http://${address}/health`);
      expect([health.status, await health.json()]).toEqual([503, { health: 'false', reason: 'RAFT NO LEADER' }]);
      expect((await fetch(`http://${address}/health?serializable=true`)).status).toBe(200);
      const client = new ApiClient(address);
      const { errors, leader } = await client.call(services.Maintenance.Status);
      expect([errors, leader]).toEqual([['etcdserver: no leader'], 0n]);
      const timeout = { 'grpc-timeout': '200m' };
      await expect(client.call(services.KV.Put, { key: bytes('k') }, timeout)).rejects.toMatchObject({
        status: 4,
        outcome: 'refused',
      });
      await expect(client.call(services.KV.Range, { key: bytes('k') }, timeout)).rejects.toMatchObject({ status: 4 });
      const began = performance.now();
      const waiting = client.call(services.KV.Put, { key: bytes('k') }).catch((error: unknown) => error);
      await new Promise((resolve) => setTimeout(resolve, 20));
      await cluster.stop('s3');
      expect(performance.now() - began).toBeLessThan(2000);
      expect(await waiting).toMatchObject({ status: 14, message: 'etcdserver: server stopped', outcome: 'refused' });
      client.close();
    } finally {
      await cluster.close();
    }
  });

  it('stops, and says why, when its log holds what it does not understand', async () => {
    const cluster = await TestCluster.start(1);
    try {
      const server = cluster.server('s1');
      const rubbish = server.node.propose(Uint8Array.of(255)).catch((error: unknown) => error);
      const reason = await server.stopped;
      expect(reason).toMatchObject({ code: 'StateMachineFailed' });
      expect(reason?.message).toContain('format 255');
      expect(await rubbish).toBeInstanceOf(RaftError);
      await expect(fetch(`http://${cluster.address('s1')}/health`)).rejects.toThrow('fetch failed');
      // It is in the log: a server of this version stops there again.
      const again = await cluster.start('s1').catch((error: unknown) => error);
      const reasonAgain = again instanceof RaftError ? again : await cluster.server('s1').stopped;
      expect(reasonAgain).toMatchObject({ code: 'StateMachineFailed' });
    } finally {
      await cluster.close();
    }
  });

  it('does not start when its client port is taken, and leaves nothing behind', async () => {
    const cluster = await TestCluster.start(1);
    try {
      const other = await TestCluster.start(1);
      await other.stop('s1');
      const taken = { 'listen-client-urls': cluster.flags('s1')['listen-client-urls'] };
      const error: unknown = await other.start('s1', taken).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(StartError);
      expect((error as StartError).message).toMatch(/^Cannot listen for clients on http:.*EADDRINUSE/);
      await (await other.start('s1')).ready;
      await other.close();
    } finally {
      await cluster.close();
    }
  });

  it('does not start in a directory that another holds, or that belongs to another', async () => {
    const cluster = await TestCluster.start(1);
    try {
      const flags = { ...cluster.flags('s1'), 'listen-client-urls': 'http://127.0.0.1:0' };
      const second = await loadConfig(flags, {});
      await expect(startServer(second.options, { sink: new MemorySink() })).rejects.toBeInstanceOf(RaftError);
      await cluster.stop('s1');
      await expect(cluster.start('s1', { 'initial-cluster-token': 'other' })).rejects.toMatchObject({
        code: 'WrongCluster',
      });
    } finally {
      await cluster.close();
    }
  });

  it('can be told to give up while it waits for its peers', async () => {
    const abort = new AbortController();
    const cluster = await TestCluster.start(1);
    await cluster.close();
    const peer = cluster.flags('s1')['listen-peer-urls'] ?? '';
    const { options } = await loadConfig(
      { ...cluster.flags('s1'), 'initial-cluster': `s1=${peer},s2=http://127.0.0.1:1,s3=http://127.0.0.1:2` },
      {},
    );
    const starting = startServer(options, { sink: new MemorySink(), signal: abort.signal });
    setTimeout(() => abort.abort(), 50);
    await expect(starting).rejects.toMatchObject({ code: 'Aborted' });
    await rm(cluster.directory, { recursive: true, force: true });
  });

  it('listens on one peer address only, and says so', async () => {
    const urls = 'http://127.0.0.1:1,http://127.0.0.1:2';
    const { options } = await loadConfig({ 'listen-peer-urls': urls }, {});
    await expect(startServer(options, { sink: new MemorySink() })).rejects.toBeInstanceOf(ConfigError);
  });
});
