import { services } from '@quorate/kv/api';
import { afterEach, describe, expect, it } from 'vitest';
import { ApiClient } from './support/api-client.ts';
import { TestCluster, until } from './support/test-cluster.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('Fault injection', () => {
  let cluster: TestCluster | null = null;
  const clients: ApiClient[] = [];
  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    await cluster?.close();
    cluster = null;
  });

  async function start(): Promise<TestCluster> {
    cluster = await TestCluster.start(3, { 'enable-fault-injection': 'true' });
    return cluster;
  }

  function clientOf(name: string): ApiClient {
    const client = new ApiClient(cluster?.address(name) ?? '');
    clients.push(client);
    return client;
  }

  async function hurt(name: string, page: string): Promise<void> {
    const response = await fetch(`http://${cluster?.address(name) ?? ''}/debug/${page}`, { method: 'POST' });
    expect(response.status).toBe(200);
  }

  it('cuts a leader off: it steps down, another takes over, and after healing all agree', async () => {
    const servers = await start();
    const old = await servers.leader();
    const others = servers.names.filter((name) => name !== old);
    await hurt(old, `partition?from=${others.join(',')}`);
    await until(() => !servers.server(old).node.isLeader && others.some((name) => servers.server(name).node.isLeader));
    const [first = ''] = others;
    await clientOf(first).call(services.KV.Put, { key: bytes('while cut'), value: bytes('x') });
    await hurt(old, 'partition');
    const { kvs } = await clientOf(old).call(services.KV.Range, { key: bytes('while cut') }, { 'grpc-timeout': '9S' });
    expect(kvs.length).toBe(1);
  });

  it('cuts one connection of three: the cluster goes on, and the pair meets again', async () => {
    const servers = await start();
    const leader = await servers.leader();
    const [one = '', two = ''] = servers.names.filter((name) => name !== leader);
    const { term } = servers.server(leader).node;
    await hurt(one, `partition?from=${two}`);
    await clientOf(two).call(services.KV.Put, { key: bytes('k'), value: bytes('x') });
    expect((await clientOf(one).call(services.KV.Range, { key: bytes('k') })).kvs.length).toBe(1);
    await hurt(one, 'partition');
    await until(() =>
      servers
        .server(one)
        .node.status()
        .peers.every((peer) => peer.connected),
    );
    expect(servers.server(leader).node.term).toBe(term);
  });

  it('slows a server, in order, and lets it be fast again', async () => {
    const servers = await start();
    const slow = await servers.follower();
    await hurt(slow, 'slow?ms=40');
    const client = clientOf(slow);
    const began = performance.now();
    for (let index = 0; index < 5; index += 1) {
      await client.call(services.KV.Put, { key: bytes('k'), value: bytes(String(index)) });
    }
    // A proposal of this server has to cross the slowed network at least once.
    expect(performance.now() - began).toBeGreaterThan(5 * 40);
    await hurt(slow, 'slow?ms=0');
    const { kvs } = await client.call(services.KV.Range, { key: bytes('k') });
    expect(kvs[0]?.version).toBe(5);
  });

  it('makes a server stutter', async () => {
    const servers = await start();
    const follower = await servers.follower();
    const { term } = servers.server(follower).node;
    const began = performance.now();
    await hurt(follower, 'sleep?ms=100');
    await clientOf(follower).call(services.KV.Put, { key: bytes('k'), value: bytes('x') });
    expect(performance.now() - began).toBeGreaterThanOrEqual(100);
    expect(servers.server(await servers.leader()).node.term).toBe(term);
  });
});
