import type { RpcCall } from '@quorate/kv';
import { StatusCode } from '@quorate/kv';
import { describe, expect, it } from 'vitest';
import { answerOf, engines, framed, now, starter, until } from './support/rpc-fixture.ts';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const echo = (call: RpcCall): void => call.reply(call.request);

describe.each(engines)('The RPC engine on %s', (_name, create) => {
  const start = starter(create);

  describe('carries a unary call', () => {
    it('and answers with one message and status 0 in the trailers', async () => {
      const { client } = await start({ Unary: echo });
      const answer = await client.call('/test.Echo/Unary', framed(text('hello')));
      expect(answer.headers).toMatchObject({ ':status': 200, 'content-type': 'application/grpc' });
      expect(answer.body).toEqual(framed(text('hello')));
      expect(answer.trailers['grpc-status']).toBe('0');
    });

    it('whose message is empty', async () => {
      const { client } = await start({ Unary: echo });
      const answer = await client.call('/test.Echo/Unary', framed(text('')));
      expect(answer.body).toEqual(framed(text('')));
      expect(answer.trailers['grpc-status']).toBe('0');
    });

    it('whose message is cut into single bytes', async () => {
      const { client } = await start({ Unary: echo });
      const stream = client.open('/test.Echo/Unary');
      const answer = answerOf(stream);
      for (const byte of framed(text('cut to pieces'))) stream.write(Buffer.of(byte));
      stream.end();
      expect((await answer).body).toEqual(framed(text('cut to pieces')));
    });

    it('whose message and answer are larger than any flow-control window', async () => {
      const { client } = await start({ Unary: echo });
      const large = new Uint8Array(1_500_000).fill(7);
      const answer = await client.call('/test.Echo/Unary', framed(large));
      expect(answer.body.equals(framed(large))).toBe(true);
      expect(answer.trailers['grpc-status']).toBe('0');
    });

    it('a thousand times at once on one connection', async () => {
      const { client, engine } = await start({ Unary: (call) => setImmediate(() => call.reply(call.request)) });
      const answers = await Promise.all(
        Array.from({ length: 1000 }, async (_, index) =>
          client.call('/test.Echo/Unary', framed(text(`call ${index}`))),
        ),
      );
      answers.forEach((answer, index) => {
        expect(answer.body).toEqual(framed(text(`call ${index}`)));
      });
      expect(engine.openCalls).toBe(0);
    });

    it('and hands request metadata to the handler', async () => {
      const { client } = await start({
        Unary: (call) => call.reply(text(call.metadata.get('authorization') ?? 'none')),
      });
      const answer = await client.call('/test.Echo/Unary', framed(text('')), { authorization: 'token 12' });
      expect(answer.body).toEqual(framed(text('token 12')));
    });
  });

  describe('reports failures as gRPC does', () => {
    it('in headers alone when nothing was sent before, with message encoded and outcome named', async () => {
      const { client } = await start({
        Unary: (call) => call.end({ code: StatusCode.unavailable, message: '100 % “lost”\n', outcome: 'unknown' }),
      });
      const answer = await client.call('/test.Echo/Unary', framed(text('x')));
      expect(answer.headers).toMatchObject({
        ':status': 200,
        'grpc-status': '14',
        'grpc-message': '100 %25 %E2%80%9Clost%E2%80%9D%0A',
        'quorate-outcome': 'unknown',
      });
      expect(answer.body).toHaveLength(0);
    });

    it.each([
      ['/test.Echo/Missing', 'unknown method Missing for service test.Echo'],
      ['/other.Service/Unary', 'unknown method Unary for service other.Service'],
      ['/rubbish', 'malformed method name: "/rubbish"'],
    ])('unimplemented for %s', async (path, message) => {
      const { client } = await start({ Unary: echo });
      const answer = await client.call(path, framed(text('x')));
      expect(answer.trailers).toMatchObject({ 'grpc-status': '12', 'grpc-message': message });
    });

    it('HTTP status 415 for another content type and 405 for another method', async () => {
      const { client } = await start({ Unary: echo });
      const wrongType = await client.call('/test.Echo/Unary', framed(text('x')), { 'content-type': 'text/plain' });
      expect(wrongType.headers[':status']).toBe(415);
      const stream = client.open('/test.Echo/Unary', { ':method': 'GET' });
      stream.end();
      expect((await answerOf(stream)).headers[':status']).toBe(405);
    });

    it('a compressed message, by flag or by header, as unimplemented', async () => {
      const { client } = await start({ Unary: echo });
      const flagged = await client.call('/test.Echo/Unary', framed(text('x'), 1));
      expect(flagged.trailers['grpc-status']).toBe('12');
      const named = await client.call('/test.Echo/Unary', framed(text('x')), { 'grpc-encoding': 'gzip' });
      expect(named.trailers).toMatchObject({ 'grpc-status': '12' });
      expect(named.trailers['grpc-message']).toContain('gzip');
    });

    it('an unknown flag as internal', async () => {
      const { client } = await start({ Unary: echo });
      const answer = await client.call('/test.Echo/Unary', framed(text('x'), 7));
      expect(answer.trailers['grpc-status']).toBe('13');
    });

    it('a request without a whole message, or with two, as internal', async () => {
      const { client } = await start({ Unary: (call) => setTimeout(() => call.reply(call.request), 20) });
      const none = await client.call('/test.Echo/Unary', Buffer.alloc(0));
      expect(none.trailers['grpc-status']).toBe('13');
      const half = await client.call('/test.Echo/Unary', framed(text('half of it')).subarray(0, 9));
      expect(half.trailers['grpc-status']).toBe('13');
      const twice = await client.call('/test.Echo/Unary', Buffer.concat([framed(text('a')), framed(text('b'))]));
      expect(twice.trailers['grpc-status']).toBe('13');
    });

    it('a handler that throws, as internal, and goes on', async () => {
      const { client, engine, lines } = await start({
        Unary: () => {
          throw new Error('a mistake of ours');
        },
      });
      const answer = await client.call('/test.Echo/Unary', framed(text('x')));
      expect(answer.trailers).toMatchObject({ 'grpc-status': '13', 'quorate-outcome': 'unknown' });
      expect(lines).toEqual(['The handler of /test.Echo/Unary threw; please report this']);
      expect(engine.openCalls).toBe(0);
    });

    it('a malformed grpc-timeout as internal', async () => {
      const { client } = await start({ Unary: echo });
      const answer = await client.call('/test.Echo/Unary', framed(text('x')), { 'grpc-timeout': 'soon' });
      expect(answer.trailers['grpc-status']).toBe('13');
    });

    it('a message over the limit as resource exhausted, before its bytes are here, in etcd’s words', async () => {
      const { client, engine } = await start({ Unary: echo }, { maxMessageBytes: 1000 });
      const stream = client.open('/test.Echo/Unary');
      const answer = answerOf(stream);
      const announced = Buffer.alloc(5);
      announced.writeUInt32BE(4_000_000_000, 1);
      stream.write(announced);
      expect((await answer).trailers).toMatchObject({
        'grpc-status': '8',
        'grpc-message': 'grpc: received message larger than max (4000000000 vs. 1000)',
      });
      expect(engine.openCalls).toBe(0);
    });
  });

  describe('keeps deadlines and cancellations', () => {
    it('hands the deadline to the handler', async () => {
      const { client } = await start({
        Unary: (call) => call.reply(text(String(Math.round((call.deadline - now()) / 100_000)))),
      });
      const timed = await client.call('/test.Echo/Unary', framed(text('')), { 'grpc-timeout': '60S' });
      expect(Number(timed.body.subarray(5).toString())).toBeGreaterThan(500);
      expect(Number(timed.body.subarray(5).toString())).toBeLessThanOrEqual(600);
      const untimed = await client.call('/test.Echo/Unary', framed(text('')));
      expect(untimed.body.subarray(5).toString()).toBe('Infinity');
    });

    it('ends a call that its handler forgot, some time after the deadline, outcome unknown', async () => {
      const { client, engine } = await start({ Unary: () => {} }, { deadlineGraceMs: 0 });
      const answer = await client.call('/test.Echo/Unary', framed(text('')), { 'grpc-timeout': '10m' });
      expect(answer.trailers).toMatchObject({ 'grpc-status': '4', 'quorate-outcome': 'unknown' });
      expect(engine.openCalls).toBe(0);
    });

    it('tells the handler once when the caller goes away, and ignores what it answers then', async () => {
      let cancelled = 0;
      let seen: RpcCall | undefined;
      const { client, engine } = await start({
        Unary: (call) => {
          seen = call;
          call.onCancel(() => {
            cancelled += 1;
          });
        },
      });
      const stream = client.open('/test.Echo/Unary');
      stream.end(framed(text('x')));
      await until(() => seen !== undefined);
      stream.close(8);
      await until(() => cancelled === 1);
      expect(seen?.cancelled).toBe(true);
      seen?.reply(text('late'));
      expect(engine.openCalls).toBe(0);
      expect((await client.call('/test.Echo/Missing', framed(text('')))).trailers['grpc-status']).toBe('12');
      expect(cancelled).toBe(1);
    });

    it('ends a request that never becomes whole', async () => {
      const { client, engine } = await start({ Unary: echo }, { requestTimeoutMs: 50 });
      const stream = client.open('/test.Echo/Unary');
      const answer = answerOf(stream);
      stream.write(Buffer.from([0, 0, 0, 0, 9, 1]));
      expect((await answer).trailers['grpc-status']).toBe('1');
      expect(engine.openCalls).toBe(0);
    });
  });

  describe('carries streams', () => {
    it('of messages both ways, and the end of either side', async () => {
      const { client } = await start({
        EchoStream: (call) => {
          call.send(call.request);
          call.onMessage((message) => {
            if (message === null) call.end({ code: StatusCode.ok, message: '' });
            else call.send(message);
          });
        },
      });
      const stream = client.open('/test.Echo/EchoStream');
      const answer = answerOf(stream);
      for (const word of ['one', 'two', 'three']) stream.write(framed(text(word)));
      stream.end();
      const { body, trailers } = await answer;
      expect(body).toEqual(Buffer.concat(['one', 'two', 'three'].map((word) => framed(text(word)))));
      expect(trailers['grpc-status']).toBe('0');
    });

    it('keeps messages for a handler that begins to listen later, in order', async () => {
      const { client } = await start({
        LateStream: (call) => {
          setTimeout(() => {
            call.onMessage((message) => {
              if (message === null) call.end({ code: StatusCode.ok, message: '' });
              else call.send(message);
            });
          }, 20);
        },
      });
      const stream = client.open('/test.Echo/LateStream');
      const answer = answerOf(stream);
      stream.end(Buffer.concat(['first', 'a', 'b', 'c'].map((word) => framed(text(word)))));
      expect((await answer).body).toEqual(Buffer.concat(['a', 'b', 'c'].map((word) => framed(text(word)))));
    });

    it('and tells a handler that its caller reads too slowly, and when to go on', async () => {
      let sent = 0;
      const total = 64;
      const { client } = await start({
        ManyStream: (call) => {
          const message = new Uint8Array(64 * 1024);
          const more = (): void => {
            while (sent < total && !call.backedUp) {
              call.send(message);
              sent += 1;
            }
            if (sent < total) call.onDrain(more);
            else call.end({ code: StatusCode.ok, message: '' });
          };
          more();
        },
      });
      const stream = client.open('/test.Echo/ManyStream');
      stream.write(framed(text('')));
      stream.pause();
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(sent).toBeLessThan(total);
      const answer = answerOf(stream);
      stream.resume();
      const { body, trailers } = await answer;
      expect(body.length).toBe(total * (64 * 1024 + 5));
      expect(trailers['grpc-status']).toBe('0');
    });

    it('ends a stream whose caller takes nothing while its handler sends without regard', async () => {
      const { client } = await start(
        {
          FloodStream: (call) => {
            for (let index = 0; index < 100; index += 1) call.send(new Uint8Array(64 * 1024));
          },
        },
        { maxStreamResponseBytes: 1024 * 1024 },
      );
      const stream = client.open('/test.Echo/FloodStream');
      stream.write(framed(text('')));
      const { trailers, body } = await answerOf(stream);
      expect(trailers['grpc-status']).toBe('8');
      expect(body.length).toBeLessThan(2 * 1024 * 1024);
    });
  });

  describe('closes', () => {
    it('after the unary calls in flight are answered; streams end as unavailable', async () => {
      let pending: RpcCall | undefined;
      let streaming: RpcCall | undefined;
      const { client, engine } = await start({
        Unary: (call) => {
          pending = call;
        },
        OpenStream: (call) => {
          streaming = call;
        },
      });
      const answer = client.call('/test.Echo/Unary', framed(text('last')));
      const stream = client.open('/test.Echo/OpenStream');
      const streamAnswer = answerOf(stream);
      stream.write(framed(text('')));
      await until(() => pending !== undefined && streaming !== undefined);
      const closed = engine.close(1000);
      expect((await streamAnswer).trailers['grpc-status']).toBe('14');
      pending?.reply(text('done'));
      expect((await answer).body).toEqual(framed(text('done')));
      await closed;
      expect(engine.openConnections).toBe(0);
    });

    it('in the time it was given when a call does not end', async () => {
      const { client, engine } = await start({ Unary: () => {} });
      const answer = client.call('/test.Echo/Unary', framed(text('')));
      await until(() => engine.openCalls === 1);
      await engine.close(50);
      expect((await answer).trailers['grpc-status']).toBeUndefined();
      expect(engine.openConnections).toBe(0);
    });
  });
});
