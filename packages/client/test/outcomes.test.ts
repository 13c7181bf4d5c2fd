import { describe, expect, test } from 'vitest';
import { CallOutcome, PutResponse, RangeResponse, StatusCode, TxnResponse, services } from '@quorate/kv/api';
import { type FakeServer, framed } from './fake-server.ts';
import { connectTo, failure, one, start, startAt, until, stopAllAfterEach, untilGone } from './support.ts';

const { KV } = services;

stopAllAfterEach();

describe('what the server refuses for good', () => {
  test.each([
    ['invalidArgument', 'InvalidArgument'],
    ['outOfRange', 'OutOfRange'],
    ['resourceExhausted', 'ResourceExhausted'],
    ['failedPrecondition', 'FailedPrecondition'],
    ['unimplemented', 'Unimplemented'],
    ['unauthenticated', 'Unauthenticated'],
  ] as const)('%s is not tried elsewhere, and says so in the server’s words', async (status, code) => {
    const [a, b] = (await start(2)) as [FakeServer, FakeServer];
    const client = await connectTo([a, b]);
    const words = 'etcdserver: mvcc: so nicht, 100 %';
    a.script = (call) => call.fail(StatusCode[status], words);
    b.script = a.script;
    const error = await failure(client.put('k', 'v'));
    expect(error).toMatchObject({ code, message: words, details: words, status: StatusCode[status] });
    expect(a.calls.length + b.calls.length).toBe(1);
  });
});

describe('a write whose outcome is unknown', () => {
  const ambiguous = [
    'unavailable',
    'deadlineExceeded',
    'unknown',
    'internal',
    'cancelled',
    'aborted',
    'dataLoss',
  ] as const;

  test.each(ambiguous)('%s without a word on the outcome: OutcomeUnknown, and never repeated', async (status) => {
    const [a, b] = (await start(2)) as [FakeServer, FakeServer];
    const client = await connectTo([a, b]);
    a.script = (call) => call.fail(StatusCode[status], 'etcdserver: request timed out');
    b.script = a.script;
    const error = await failure(client.put('k', 'v'));
    expect(error.code).toBe('OutcomeUnknown');
    expect(error.cause).toMatchObject({ status: StatusCode[status] });
    expect(a.calls.length + b.calls.length).toBe(1);
  });

  test('the server says that it is unknown', async () => {
    const { server, client } = await one();
    server.script = (call) => call.fail(StatusCode.resourceExhausted, 'x', CallOutcome.unknown);
    expect((await failure(client.delete('k'))).code).toBe('OutcomeUnknown');
    expect(server.calls.length).toBe(1);
  });

  test('the stream is reset', async () => {
    const { server, client } = await one();
    server.script = (call) => call.stream.close(2);
    expect((await failure(client.put('k', 'v'))).code).toBe('OutcomeUnknown');
    expect(server.calls.length).toBe(1);
  });

  test('the connection breaks while it is on its way', async () => {
    const { server, client } = await one();
    server.script = () => server.reset();
    expect((await failure(client.compact(1))).code).toBe('OutcomeUnknown');
    expect(server.calls.length).toBe(1);
  });

  test('the answer breaks off in the middle', async () => {
    const { server, client } = await one();
    server.script = (call) => {
      call.stream.respond({ ':status': 200 });
      call.stream.write(framed(new Uint8Array(10)).subarray(0, 8), () => call.stream.close(8));
    };
    expect((await failure(client.put('k', 'v'))).code).toBe('OutcomeUnknown');
  });

  test.each([
    ['rubbish', Buffer.from('not gRPC at all')],
    ['nothing', Buffer.alloc(0)],
    ['a compressed message', Buffer.from([1, 0, 0, 0, 0])],
    ['two messages', Buffer.concat([framed(Uint8Array.of()), framed(Uint8Array.of())])],
    ['rubbish in the message', framed(Uint8Array.of(0x0b))],
    ['a response without a header', framed(Uint8Array.of())],
  ])('the answer is %s', async (_, bytes) => {
    const { server, client } = await one();
    server.script = (call) => call.replyBytes(bytes);
    const error = await failure(client.put('k', 'v'));
    expect(error).toMatchObject({ code: 'OutcomeUnknown', cause: { code: 'MalformedResponse' } });
    expect((await failure(client.get('k'))).code).toBe('MalformedResponse');
    expect(server.calls.length).toBe(2);
  });

  test('the deadline passes', async () => {
    const { server, client } = await one();
    server.script = () => undefined;
    const error = await failure(client.put('k', 'v', { timeout: 30 }));
    expect(error.code).toBe('OutcomeUnknown');
    expect(error.message).toContain('30 ms');
  });

  test('the caller gives up on it', async () => {
    const { server, client } = await one();
    const reason = new Error('tired');
    const controller = new AbortController();
    let reset = false;
    server.script = (call) => {
      call.stream.on('aborted', () => {
        reset = true;
      });
      controller.abort(reason);
    };
    const error = await failure(client.put('k', 'v', { signal: controller.signal }));
    expect(error).toMatchObject({ code: 'OutcomeUnknown', cause: reason });
    await until(() => reset);
  });

  test('a transaction that only reads is a read; one that may write is a write', async () => {
    const { server, client } = await one();
    let answers = 0;
    server.script = (call) => {
      if (answers++ % 2 === 0) call.fail(StatusCode.unavailable, 'changing leader');
      else call.reply(KV.Txn, TxnResponse.create({ header: server.header() }));
    };
    await client.txn({ success: [{ op: 'txn', failure: [{ op: 'get', key: 'k' }] }] });
    expect(server.calls.length).toBe(2);
    const error = await failure(client.txn({ success: [{ op: 'txn', failure: [{ op: 'delete', key: 'k' }] }] }));
    expect(error.code).toBe('OutcomeUnknown');
    expect(server.calls.length).toBe(3);
  });
});

describe('what was definitely refused is tried elsewhere', () => {
  test('Unavailable with the word that nothing was done', async () => {
    const [a, b, c] = (await start(3)) as [FakeServer, FakeServer, FakeServer];
    const client = await connectTo([a, b, c]);
    a.script = (call) => call.fail(StatusCode.unavailable, 'no leader', CallOutcome.refused);
    b.script = a.script;
    expect((await client.put('k', 'v')).memberId).toBe(3n);
    expect([a, b, c].map(({ calls }) => calls.length).reduce((x, y) => x + y)).toBeLessThanOrEqual(3);
  });

  test('again and again, until somebody does it', async () => {
    const { server, client } = await one();
    let refusals = 20;
    server.script = (call) => {
      if (refusals-- > 0) call.fail(StatusCode.unavailable, 'no leader', CallOutcome.refused);
      else call.reply(KV.Put, PutResponse.create({ header: server.header() }));
    };
    await client.put('k', 'v');
    expect(server.calls.length).toBe(21);
  });

  test('until the deadline: a read is Unavailable, with the last refusal', async () => {
    const { server, client } = await one();
    server.script = (call) => call.fail(StatusCode.unavailable, 'no leader yet');
    const error = await failure(client.get('k', { timeout: 1_000 }));
    expect(error).toMatchObject({ code: 'Unavailable', cause: { details: 'no leader yet' } });
    expect(error.message).toContain('1000 ms');
    expect(server.calls.length).toBeGreaterThan(1);
  });

  test('until the deadline: a write that never got out is Unavailable', async () => {
    const { server, client } = await one();
    await server.kill();
    await untilGone(client);
    const error = await failure(client.put('k', 'v', { timeout: 60 }));
    expect(error.code).toBe('Unavailable');
    expect(error.message).toContain('ECONNREFUSED');
  });

  test('a stream that was refused', async () => {
    const { server, client } = await one();
    let refused = false;
    server.script = (call) => {
      if (refused) call.reply(KV.Put, PutResponse.create({ header: server.header() }));
      else call.stream.close(7);
      refused = true;
    };
    await client.put('k', 'v');
    expect(server.calls.length).toBe(2);
  });

  test('a stream beyond the last that a GOAWAY lets in', async () => {
    const [a, b] = (await start(2)) as [FakeServer, FakeServer];
    const client = await connectTo([a, b]);
    const goaway = (code: number) => (server: FakeServer) => {
      server.script = (call) => call.stream.session?.goaway(code, (call.stream.id ?? 0) - 2);
    };
    for (const code of [0, 11]) {
      goaway(code)(a);
      b.script = (call) => call.reply(KV.Put, PutResponse.create({ header: b.header() }));
      expect((await client.put('k', 'v')).memberId).toBe(2n);
    }
  });

  test('nobody listens any more: the others are asked', async () => {
    const [a, b] = (await start(2)) as [FakeServer, FakeServer];
    const client = await connectTo([a, b]);
    const put = await client.put('k', 'v');
    const [used, other] = put.memberId === 1n ? [a, b] : [b, a];
    await used.kill();
    // A read finds out without harm.
    expect((await client.get('k')).memberId).toBe(other.memberId);
    expect((await client.put('k', 'v')).memberId).toBe(other.memberId);
  });

  test('a server that went and came back is found again', async () => {
    const { server, client } = await one();
    await client.put('k', 'v');
    const { port } = server;
    await server.kill();
    await untilGone(client);
    const waiting = client.put('k', 'v');
    await startAt(9n, port);
    expect((await waiting).memberId).toBe(9n);
  });

  test('a read is made again even when the connection broke under it', async () => {
    const [a, b] = (await start(2)) as [FakeServer, FakeServer];
    const client = await connectTo([a, b]);
    for (const server of [a, b]) {
      server.script = (call) => {
        if (a.calls.length + b.calls.length === 1) server.reset();
        else call.reply(KV.Range, RangeResponse.create({ header: server.header() }));
      };
    }
    expect((await client.get('k')).revision).toBe(42);
    expect(a.calls.length + b.calls.length).toBe(2);
  });
});
