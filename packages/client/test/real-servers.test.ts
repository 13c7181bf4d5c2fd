import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Client, connect } from '@quorate/client';
import { failure, until } from './support.ts';
import { RealCluster } from './support-cluster.ts';

const STARTING_MS = 60_000;

describe('three servers', () => {
  let cluster: RealCluster;
  let client: Client;

  beforeAll(async () => {
    cluster = await RealCluster.start(3);
    client = await connect(cluster.endpoints, { timeout: 20_000 });
  }, STARTING_MS);

  afterAll(async () => {
    await client.close();
    await cluster.close();
  }, STARTING_MS);

  test('what is put is read, changed and deleted', async () => {
    const first = await client.put('k', 'one');
    const second = await client.put('k', 'two', { previous: true });
    expect(second.previous?.text()).toBe('one');
    expect((await client.get('k')).entry).toMatchObject({ version: 2, modRevision: second.revision });
    expect((await client.get('k', { revision: first.revision })).entry?.text()).toBe('one');
    expect(await client.delete('k', { previous: true })).toMatchObject({ deleted: 1, previous: [{ version: 2 }] });
    expect((await client.get('k')).entry).toBeUndefined();
  });

  test('ranges, limits and orders', async () => {
    await Promise.all(['a', 'b', 'c'].map((name) => client.put(`range/${name}`, name)));
    const descending = { by: 'key', order: 'descending' } as const;
    const { entries, count, more } = await client.get('range/', { prefix: true, limit: 2, sort: descending });
    expect(entries.map((entry) => entry.keyText())).toEqual(['range/c', 'range/b']);
    expect({ count, more }).toEqual({ count: 3, more: true });
    expect((await client.delete('range/', { prefix: true })).deleted).toBe(3);
  });

  test('a transaction takes the lock once', async () => {
    const take = (who: string) =>
      client.txn({
        compare: [{ key: 'lock', version: 0 }],
        success: [{ op: 'put', key: 'lock', value: who }],
        failure: [{ op: 'get', key: 'lock' }],
      });
    const both = await Promise.all([take('a'), take('b')]);
    expect(both.filter(({ succeeded }) => succeeded).length).toBe(1);
  });

  test("etcd's errors come with etcd's words", async () => {
    const error = await failure(client.get('k', { revision: 1_000_000 }));
    expect(error.code).toBe('OutOfRange');
    expect(error.message).toContain('required revision is a future revision');
  });

  test('status, members and compaction', async () => {
    const { revision } = await client.put('k', 'v');
    expect((await client.compact(revision)).revision).toBe(revision);
    expect((await failure(client.get('k', { revision: revision - 1 }))).message).toContain('has been compacted');
    const { members } = await client.memberList();
    const leader = (await client.status()).leader;
    expect(members.map(({ ID }) => ID)).toContain(leader);
  });

  test('calls find the leader and stay with it', async () => {
    const { leader } = await client.status();
    let last = 0n;
    while (last !== leader) last = (await client.put('k', 'v')).memberId;
    for (let i = 0; i < 20; i++) expect((await client.put('k', 'v')).memberId).toBe(leader);
  });

  test('a leader that is stopped under load: nothing acknowledged is lost, nothing is done twice', async () => {
    const leader = cluster.leader ?? '';
    const acknowledged: string[] = [];
    const unknown: string[] = [];
    let stopped = false;
    const writer = async (name: string): Promise<void> => {
      for (let i = 0, after = 0; after < 5; i++) {
        const key = `load/${name}/${i}`;
        const error = await client.put(key, 'v').then(
          () => undefined,
          (reason: unknown) => reason,
        );
        if (error === undefined) acknowledged.push(key);
        else {
          expect(error).toMatchObject({ code: 'OutcomeUnknown' });
          unknown.push(key);
        }
        if (stopped && error === undefined) after++;
      }
    };
    const writers = Promise.all(Array.from({ length: 16 }, (_, i) => writer(String(i))));
    await until(() => acknowledged.length > 100);
    await cluster.stop(leader);
    stopped = true;
    await writers;
    const { entries } = await client.get('load/', { prefix: true });
    const present = new Map(entries.map((entry) => [entry.keyText(), entry.version]));
    expect(acknowledged.filter((key) => present.get(key) !== 1)).toEqual([]);
    expect(
      [...present].filter(([key, version]) => version !== 1 || !(acknowledged.includes(key) || unknown.includes(key))),
    ).toEqual([]);
    await cluster.startAt(leader);
  });

  test('without a majority every call fails with a typed error within its deadline; with one again, all is well', async () => {
    const [a, b] = cluster.endpoints as [string, string, string];
    await Promise.all([cluster.stop(a), cluster.stop(b)]);
    for (const call of [client.put('k', 'v', { timeout: 500 }), client.get('k', { timeout: 500 })]) {
      expect(['Unavailable', 'DeadlineExceeded', 'OutcomeUnknown']).toContain((await failure(call)).code);
    }
    await cluster.startAt(a);
    await client.get('k');
    expect((await client.put('k', 'again')).revision).toBeGreaterThan(0);
  });
});
