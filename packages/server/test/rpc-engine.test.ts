import { connect as connectTcp } from 'node:net';
import type { RpcCall } from '@quorate/kv';
import { StatusCode } from '@quorate/kv';
import { afterEach, describe, expect, it } from 'vitest';
import { answerOf, engines, type Fixture, framed, now, RawClient, startFixture } from './support/rpc-fixture.ts';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const echo = (call: RpcCall): void => call.reply(call.request);

describe.each(engines)('The RPC engine on %s', (_name, create) => {
  const cleanups: (() => Promise<void> | void)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });

  async function start(
    methods: Readonly<Record<string, (call: RpcCall) => void>>,
    limits = {},
  ): Promise<Fixture & { client: RawClient }> {
    const fixture = await startFixture(create, methods, limits);
    const client = new RawClient(fixture.address);
    cleanups.push(fixture.close, () => client.close());
    return { ...fixture, client };
  }

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

  describe('bounds what a connection may take', () => {
    it('unfinished requests by their bytes', async () => {
      const { client, engine } = await start(
        { Unary: echo },
        { maxConnectionRequestBytes: 300_000, maxMessageBytes: 200_000 },
      );
      const partial = framed(new Uint8Array(200_000)).subarray(0, 150_000);
      const streams = Array.from({ length: 8 }, () => client.open('/test.Echo/Unary'));
      const answers = streams.map(answerOf);
      for (const stream of streams) stream.write(partial);
      const first = await Promise.race(answers);
      expect(first.trailers).toMatchObject({ 'grpc-status': '8', 'quorate-outcome': 'refused' });
      await until(() => engine.openCalls <= 2);
      for (const stream of streams) stream.close();
      await until(() => engine.openCalls === 0);
      const whole = await client.call('/test.Echo/Unary', framed(new Uint8Array(200_000)));
      expect(whole.trailers['grpc-status']).toBe('0');
    });

    it('large answers that nobody takes', async () => {
      const { client } = await start(
        { Unary: (call) => call.reply(new Uint8Array(1_000_000)) },
        { maxTotalResponseBytes: 2_500_000 },
      );
      const streams = [1, 2].map(() => client.open('/test.Echo/Unary').pause());
      for (const stream of streams) stream.end(framed(text('')));
      await Promise.all(streams.map(async (stream) => new Promise((resolve) => stream.once('response', resolve))));
      const refused = await client.call('/test.Echo/Unary', framed(text('')));
      expect(refused.trailers).toMatchObject({ 'grpc-status': '8', 'quorate-outcome': 'unknown' });
      const answers = streams.map(answerOf);
      for (const stream of streams) stream.resume();
      for (const answer of answers) expect((await answer).body.length).toBe(1_000_005);
      const next = await client.call('/test.Echo/Unary', framed(text('')));
      expect(next.body.length).toBe(1_000_005);
    });

    it('streams open at once', async () => {
      const { client } = await start({ Unary: () => {} }, { maxConcurrentStreams: 5 });
      await new Promise((resolve) => client.session.once('remoteSettings', resolve));
      expect(client.session.remoteSettings.maxConcurrentStreams).toBe(5);
    });

    it('headers', async () => {
      const { client, address } = await start({ Unary: echo }, { maxHeaderBytes: 4096 });
      // The limit holds once the client has acknowledged it.
      await client.call('/test.Echo/Unary', framed(text('x')));
      const answer = await client.call('/test.Echo/Unary', framed(text('x')), { filler: 'x'.repeat(10_000) });
      expect(answer.trailers['grpc-status']).toBeUndefined();
      const next = new RawClient(address);
      cleanups.push(() => next.close());
      expect((await next.call('/test.Echo/Unary', framed(text('x')))).trailers['grpc-status']).toBe('0');
    });

    it('streams that are opened and reset at once: the connection is closed, others are served', async () => {
      const { client, address } = await start({ Unary: () => {} });
      const closed = new Promise<void>((resolve) => client.session.once('close', () => resolve()));
      const pump = (): void => {
        if (client.session.destroyed || client.session.closed) return;
        for (let index = 0; index < 500; index += 1) client.open('/test.Echo/Unary').close(8);
        setImmediate(pump);
      };
      pump();
      await closed;
      const other = new RawClient(address);
      cleanups.push(() => other.close());
      expect((await other.call('/test.Echo/Missing', framed(text('')))).trailers['grpc-status']).toBe('12');
    });
  });

  describe('closes a connection that floods it, and serves the others:', () => {
    const frame = (type: number, flags: number, stream: number, payload: Uint8Array): Buffer => {
      const bytes = Buffer.alloc(9 + payload.length);
      bytes.writeUIntBE(payload.length, 0, 3);
      bytes.writeUInt8(type, 3);
      bytes.writeUInt8(flags, 4);
      bytes.writeUInt32BE(stream, 5);
      bytes.set(payload, 9);
      return bytes;
    };

    it.each([
      ['PING', frame(6, 0, 0, Buffer.alloc(8))],
      ['SETTINGS', frame(4, 0, 0, Buffer.from([0, 4, 0, 0, 0xff, 0xff]))],
      ['headers that never end', frame(9, 0, 1, Buffer.alloc(100))],
    ])('%s', async (what, flood) => {
      const { client, number } = await start({ Unary: echo });
      // The flood comes from one who reads nothing, so answers to it would pile up here.
      const socket = connectTcp(number, '127.0.0.1', () => {
        socket.write(opening, 'latin1');
        // ":method: POST" and no END_HEADERS: what follows may only be CONTINUATION.
        if (what.startsWith('headers')) socket.write(frame(1, 0, 1, Buffer.of(0x83)));
        const many = Buffer.concat(Array.from({ length: 1000 }, () => flood));
        const pump = (): void => {
          if (!socket.destroyed) socket.write(many, () => setImmediate(pump));
        };
        pump();
      });
      socket.on('error', () => {});
      socket.pause();
      const closed = new Promise((resolve) => socket.on('close', resolve));
      await closed;
      expect((await client.call('/test.Echo/Unary', framed(text('x')))).trailers['grpc-status']).toBe('0');
    });
  });

  describe('asks silent connections whether they live', () => {
    const limits = { keepAliveIntervalMs: 50, keepAliveTimeoutMs: 300 };

    it('and keeps those that answer', async () => {
      const { client, engine } = await start({ Unary: echo }, limits);
      await client.call('/test.Echo/Unary', framed(text('x')));
      await new Promise((resolve) => setTimeout(resolve, 1000));
      expect(engine.openConnections).toBe(1);
      expect((await client.call('/test.Echo/Unary', framed(text('x')))).trailers['grpc-status']).toBe('0');
    });

    it('and closes those that do not', async () => {
      const { engine, client, number } = await start({ Unary: echo }, limits);
      await client.call('/test.Echo/Unary', framed(text('x')));
      const closed = speak(number, opening);
      await until(() => engine.openConnections === 2);
      await closed;
      await until(() => engine.openConnections === 1);
    });

    it('and closes those that node:http2 has given up without closing them: a header that cannot be decoded', async () => {
      const { engine, client, number } = await start({ Unary: echo }, limits);
      await client.call('/test.Echo/Unary', framed(text('x')));
      // HEADERS with an index far beyond the table.
      const closed = speak(number, `${opening}\0\0\x03\x01\x05\0\0\0\x01\xff\xff\x7f`);
      await until(() => engine.openConnections === 2);
      await closed;
      await until(() => engine.openConnections === 1);
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

  it('outlives rubbish behind the preface', async () => {
    const { client, number } = await start({ Unary: echo });
    for (let round = 0; round < 20; round += 1) {
      const bytes = Buffer.from(Array.from({ length: 400 }, (_, index) => (index * 7919 + round * 104_729) % 256));
      await new Promise<void>((resolve) => {
        const socket = connectTcp(number, '127.0.0.1', () => {
          socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
          socket.write(bytes);
        });
        socket.on('error', () => {});
        socket.on('data', () => {});
        socket.on('close', () => resolve());
      });
    }
    expect((await client.call('/test.Echo/Unary', framed(text('still here')))).trailers['grpc-status']).toBe('0');
  });
});

/** A connection's preface and its empty SETTINGS. */
const opening = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0';

/** Says something (latin1) and resolves when the server has closed the connection. */
async function speak(port: number, words: string): Promise<void> {
  await new Promise<void>((resolve) => {
    const socket = connectTcp(port, '127.0.0.1', () => socket.write(words, 'latin1'));
    socket.on('error', () => {});
    socket.resume();
    socket.on('close', () => resolve());
  });
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
}
