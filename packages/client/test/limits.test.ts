import { describe, expect, test } from 'vitest';
import { KeyValue, PutResponse, RangeResponse, services } from '@quorate/kv/api';
import { connect } from '@quorate/client';
import { type FakeServer } from './fake-server.ts';
import { failure, one, start, until, stopAllAfterEach, untilGone } from './support.ts';

const { KV } = services;

stopAllAfterEach();

describe('deadlines and signals', () => {
  test('the server hears of the deadline', async () => {
    const { server, client } = await one();
    let timeout: string | undefined;
    server.script = (call) => {
      timeout = call.timeout;
      call.reply(KV.Put, PutResponse.create({ header: server.header() }));
    };
    await client.put('k', 'v', { timeout: 1234.5 });
    expect(Number.parseInt(timeout ?? '', 10)).toBeLessThanOrEqual(1235);
    expect(timeout).toMatch(/^\d+m$/);
  });

  test('a read without an answer: DeadlineExceeded, and the server is told that nobody waits', async () => {
    const { server, client } = await one();
    let reset = false;
    server.script = (call) => {
      call.stream.on('aborted', () => {
        reset = true;
      });
    };
    expect((await failure(client.get('k', { timeout: 30 }))).code).toBe('DeadlineExceeded');
    await until(() => reset);
  });

  test('a signal that has fired: nothing is sent', async () => {
    const { server, client } = await one();
    const reason = new Error('never mind');
    const error = await failure(client.put('k', 'v', { signal: AbortSignal.abort(reason) }));
    expect(error).toMatchObject({ code: 'Aborted', cause: reason });
    expect(server.calls).toEqual([]);
  });

  test('a read that is given up: Aborted', async () => {
    const { server, client } = await one();
    const controller = new AbortController();
    server.script = () => controller.abort();
    expect((await failure(client.get('k', { signal: controller.signal }))).code).toBe('Aborted');
  });

  test('a write that waits for a server to come back is given up: Aborted, for nothing was done', async () => {
    const { server, client } = await one();
    await server.kill();
    await untilGone(client);
    const controller = new AbortController();
    const put = client.put('k', 'v', { signal: controller.signal });
    setTimeout(() => controller.abort(), 30);
    expect((await failure(put)).code).toBe('Aborted');
  });
});

describe('limits', () => {
  test('an answer beyond maxResponseBytes', async () => {
    const { server, client } = await one({ maxResponseBytes: 1000 });
    const value = new Uint8Array(2000);
    server.script = (call) => {
      const prevKv = KeyValue.create({ value });
      if (call.path === KV.Put.path) call.reply(KV.Put, PutResponse.create({ header: server.header(), prevKv }));
      else call.reply(KV.Range, RangeResponse.create({ header: server.header(), kvs: [prevKv] }));
    };
    expect((await failure(client.get('k'))).code).toBe('ResponseTooLarge');
    // The server did it and the answer is lost: nobody knows whether it did.
    expect((await failure(client.put('k', 'v', { previous: true }))).code).toBe('OutcomeUnknown');
  });

  test('more calls than maxCalls', async () => {
    const { server, client } = await one({ maxCalls: 2 });
    await until(() => server.statusCalls > 0);
    const held: (() => void)[] = [];
    server.script = (call) => held.push(() => call.reply(KV.Put, PutResponse.create({ header: server.header() })));
    const calls = [client.put('a', '1'), client.put('b', '2')];
    expect((await failure(client.put('c', '3'))).code).toBe('TooManyCalls');
    await until(() => held.length === 2);
    for (const release of held) release();
    await Promise.all(calls);
    await client.get('d', { timeout: 20 }).catch(() => undefined);
    expect(server.calls.length).toBe(3);
  });

  test('thousands of calls at once share one connection', async () => {
    const { server, client } = await one();
    const results = await Promise.all(Array.from({ length: 3000 }, (_, i) => client.put(`k${i}`, 'v')));
    expect(results.length).toBe(3000);
    expect(server.sessions.size).toBe(1);
  });
});

describe('closing', () => {
  test('waits for the calls in flight, then refuses', async () => {
    const { server, client } = await one();
    let release: (() => void) | undefined;
    server.script = (call) => {
      release = () => call.reply(KV.Put, PutResponse.create({ header: server.header() }));
    };
    const put = client.put('k', 'v');
    await until(() => release !== undefined);
    const closed = client.close();
    expect((await failure(client.put('k', 'v'))).code).toBe('Closed');
    release?.();
    expect((await put).revision).toBe(42);
    await closed;
    await until(() => server.sessions.size === 0);
    await client.close();
  });

  test('await using closes', async () => {
    const { server, client } = await one();
    await client[Symbol.asyncDispose]();
    await until(() => server.sessions.size === 0);
  });

  test('connect fails when nobody listens, and leaves nothing behind', async () => {
    const [a] = (await start(1)) as [FakeServer];
    const { endpoint } = a;
    await a.kill();
    const error = await failure(connect([endpoint], { timeout: 1_000 }));
    expect(error.code).toBe('Unavailable');
    expect(error.message).toContain('ECONNREFUSED');
  });
});
