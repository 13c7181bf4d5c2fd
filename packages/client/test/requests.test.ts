import { describe, expect, test } from 'vitest';
import {
  CompactionRequest,
  CompactionResponse,
  DeleteRangeRequest,
  DeleteRangeResponse,
  KeyValue,
  MemberListResponse,
  PutRequest,
  PutResponse,
  RangeRequest,
  RangeResponse,
  TxnRequest,
  TxnResponse,
  services,
} from '@quorate/kv/api';
import { connect } from '@quorate/client';
import { failure, one, utf8, stopAllAfterEach } from './support.ts';

const { KV, Cluster } = services;

stopAllAfterEach();

describe('requests and results', () => {
  test('a key is read, with its bytes and its text', async () => {
    const { server, client } = await one();
    const kv = KeyValue.create({ key: utf8.encode('k'), value: utf8.encode('wert €'), version: 3, modRevision: 9 });
    server.script = (call) => {
      expect(RangeRequest.decode(call.message)).toEqual(RangeRequest.create({ key: utf8.encode('k') }));
      call.reply(KV.Range, RangeResponse.create({ header: server.header(), kvs: [kv], count: 1 }));
    };
    const { entry, count, revision, memberId } = await client.get('k');
    expect(entry?.text()).toBe('wert €');
    expect(entry?.keyText()).toBe('k');
    expect([...(entry?.value ?? [])]).toEqual([...utf8.encode('wert €')]);
    expect({ count, revision, memberId, version: entry?.version }).toEqual({
      count: 1,
      revision: 42,
      memberId: 1n,
      version: 3,
    });
  });

  test('every option of a range reaches the server', async () => {
    const { server, client } = await one();
    let seen: RangeRequest | undefined;
    server.script = (call) => {
      seen = RangeRequest.decode(call.message);
      call.reply(KV.Range, RangeResponse.create({ header: server.header(), more: true }));
    };
    const result = await client.get('a', {
      prefix: true,
      limit: 5,
      revision: 7,
      sort: { by: 'modRevision', order: 'descending' },
      keysOnly: true,
      countOnly: true,
      serializable: true,
      minModRevision: 1,
      maxModRevision: 2,
      minCreateRevision: 3,
      maxCreateRevision: 4,
    });
    expect(result).toMatchObject({ entry: undefined, entries: [], more: true });
    expect(seen).toEqual({
      key: utf8.encode('a'),
      rangeEnd: utf8.encode('b'),
      limit: 5,
      revision: 7,
      sortOrder: 2,
      sortTarget: 3,
      keysOnly: true,
      countOnly: true,
      serializable: true,
      minModRevision: 1,
      maxModRevision: 2,
      minCreateRevision: 3,
      maxCreateRevision: 4,
    });
  });

  test.each([
    ['a prefix that ends in 0xff', Uint8Array.of(1, 0xff), { prefix: true }, [1, 0xff], [2]],
    ['a prefix that nothing follows', Uint8Array.of(0xff, 0xff), { prefix: true }, [0xff, 0xff], [0]],
    ['the empty prefix: every key', '', { prefix: true }, [0], [0]],
    ['from a key on', 'b', { fromKey: true }, [98], [0]],
    ['from the first key up to one', '', { rangeEnd: 'c' }, [0], [99]],
  ] as const)('%s', async (_, key, options, from, end) => {
    const { server, client } = await one();
    let seen: DeleteRangeRequest | undefined;
    server.script = (call) => {
      seen = DeleteRangeRequest.decode(call.message);
      call.reply(KV.DeleteRange, DeleteRangeResponse.create({ header: server.header(), deleted: 3 }));
    };
    expect((await client.delete(key, options)).deleted).toBe(3);
    expect([[...(seen?.key ?? [])], [...(seen?.rangeEnd ?? [])]]).toEqual([from, end]);
  });

  test('put gives the previous value when asked', async () => {
    const { server, client } = await one();
    const prevKv = KeyValue.create({ key: utf8.encode('k'), value: utf8.encode('old') });
    let seen: PutRequest | undefined;
    server.script = (call) => {
      seen = PutRequest.decode(call.message);
      call.reply(KV.Put, PutResponse.create({ header: server.header(), prevKv: seen.prevKv ? prevKv : undefined }));
    };
    expect((await client.put('k', 'new')).previous).toBeUndefined();
    expect(
      (await client.put('k', Uint8Array.of(0, 255), { previous: true, lease: 2n ** 62n + 1n })).previous?.text(),
    ).toBe('old');
    expect(seen).toMatchObject({ lease: 2n ** 62n + 1n, value: Uint8Array.of(0, 255) });
  });

  test('a transaction, nested, with every kind of comparison and result', async () => {
    const { server, client } = await one();
    let seen: TxnRequest | undefined;
    const kvs = [KeyValue.create({ key: utf8.encode('a'), value: utf8.encode('1') })];
    server.script = (call) => {
      seen = TxnRequest.decode(call.message);
      call.reply(
        KV.Txn,
        TxnResponse.create({
          header: server.header(),
          succeeded: true,
          responses: [
            { response: { case: 'responseRange', value: RangeResponse.create({ kvs, count: 1 }) } },
            { response: { case: 'responsePut', value: PutResponse.create() } },
            { response: { case: 'responseDeleteRange', value: DeleteRangeResponse.create({ deleted: 1 }) } },
            { response: { case: 'responseTxn', value: TxnResponse.create() } },
          ],
        }),
      );
    };
    const result = await client.txn({
      compare: [
        { key: 'a', version: 0, is: '!=' },
        { key: 'b', value: 'x' },
        { key: 'c', prefix: true, modRevision: 5, is: '<' },
        { key: 'd', createRevision: 5, is: '>' },
        { key: 'e', lease: 9n },
      ],
      success: [
        { op: 'get', key: 'a' },
        { op: 'put', key: 'b', value: 'y' },
        { op: 'delete', key: 'c' },
        { op: 'txn', failure: [{ op: 'get', key: 'z' }] },
      ],
    });
    expect(seen?.compare.map(({ result, target, targetUnion }) => [result, target, targetUnion.case])).toEqual([
      [3, 0, 'version'],
      [0, 3, 'value'],
      [2, 2, 'modRevision'],
      [1, 1, 'createRevision'],
      [0, 4, 'lease'],
    ]);
    expect(seen?.success.map(({ request }) => request.case)).toEqual([
      'requestRange',
      'requestPut',
      'requestDeleteRange',
      'requestTxn',
    ]);
    expect(result.results).toMatchObject([
      { op: 'get', count: 1, revision: 42 },
      { op: 'put', previous: undefined },
      { op: 'delete', deleted: 1 },
      { op: 'txn', succeeded: false },
    ]);
  });

  test('compact, members and status', async () => {
    const { server, client } = await one();
    let compaction: CompactionRequest | undefined;
    server.script = (call) => {
      if (call.path === KV.Compact.path) {
        compaction = CompactionRequest.decode(call.message);
        call.reply(KV.Compact, CompactionResponse.create({ header: server.header() }));
      } else {
        const members = [{ ID: 2n ** 64n - 1n, name: 'a', peerURLs: ['http://p'], clientURLs: [], isLearner: false }];
        call.reply(Cluster.MemberList, MemberListResponse.create({ header: server.header(), members }));
      }
    };
    expect((await client.compact(5, { physical: true })).revision).toBe(42);
    expect(compaction).toEqual({ revision: 5, physical: true });
    expect((await client.memberList()).members[0]?.ID).toBe(2n ** 64n - 1n);
    server.leader = 1n;
    expect(await client.status(server.endpoint)).toMatchObject({
      endpoint: `http://${server.endpoint}`,
      isLeader: true,
    });
  });

  test('a large answer in many frames comes whole', async () => {
    const { server, client } = await one();
    const value = new Uint8Array(3_000_000).fill(7);
    server.script = (call) => {
      call.reply(KV.Range, RangeResponse.create({ header: server.header(), kvs: [KeyValue.create({ value })] }));
    };
    const { entry } = await client.get('k');
    expect(Buffer.compare(entry?.value ?? Buffer.alloc(0), value)).toBe(0);
  });

  test('what was decoded keeps its own memory alive and nothing else', async () => {
    const { server, client } = await one();
    server.script = (call) => {
      const kvs = [KeyValue.create({ key: utf8.encode('k'), value: utf8.encode('v') })];
      call.reply(KV.Range, RangeResponse.create({ header: server.header(), kvs }));
    };
    const { entry } = await client.get('k');
    // At most one of Node.js's own small pools, which from 26 on is a little larger than Buffer.poolSize.
    const pool = Buffer.allocUnsafe(1).buffer.byteLength;
    expect(entry?.value.buffer.byteLength).toBeLessThanOrEqual(pool);
  });
});

describe('arguments that make no sense', () => {
  test('are refused before anything is sent', async () => {
    const { server, client } = await one({ maxRequestBytes: 1000 });
    const bad: (() => Promise<unknown>)[] = [
      () => client.get(''),
      () => client.put('', 'v'),
      () => client.get('k', { prefix: true, fromKey: true }),
      () => client.get('k', { rangeEnd: '' }),
      () => client.get('k', { limit: -1 }),
      () => client.get('k', { revision: 0.5 }),
      () => client.get('k', { sort: { by: 'colour' as 'key' } }),
      () => client.get(5 as unknown as string),
      () => client.get('k', { timeout: 0 }),
      () => client.get('k', { timeout: Number.NaN }),
      () => client.put('k', 'v', { lease: 2n ** 63n }),
      () => client.put('k', 'v'.repeat(1000)),
      () => client.txn({ compare: [{ key: 'k', version: 1.5 }] }),
      () => client.txn({ compare: [{ key: 'k' } as unknown as { key: string; version: number }] }),
      () => client.txn({ success: [{ op: 'increment' as 'get', key: 'k' }] }),
      () => client.status('127.0.0.1:1'),
    ];
    for (const call of bad) expect((await failure(call())).code).toBe('InvalidArgument');
    expect(server.calls).toEqual([]);
  });

  test.each(['', 'http://', 'https://a:1', 'a:99999', 'http://a:1/path', 'http://u@a:1', 'ftp://a:1', 'a b'])(
    "'%s' is no endpoint",
    async (endpoint) => {
      expect((await failure(connect([endpoint]))).code).toBe('InvalidArgument');
    },
  );

  test('no endpoints, or options out of range', async () => {
    expect((await failure(connect([]))).code).toBe('InvalidArgument');
    // As a program in JavaScript may, whose author thinks of another client's options.
    const hosts: unknown = { hosts: ['a:1'] };
    expect((await failure(connect(hosts as string))).message).toMatch('one string or a list of strings');
    expect((await failure(connect(['a:1'], { timeout: -1 }))).code).toBe('InvalidArgument');
    expect((await failure(connect(['a:1'], { maxCalls: 0 }))).code).toBe('InvalidArgument');
  });
});
