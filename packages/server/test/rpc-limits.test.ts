/** What one client may cost the others: every bound of the RPC room, run into. */
import { connect as connectTcp } from 'node:net';
import type { RpcCall } from '@quorate/kv';
import { describe, expect, it } from 'vitest';
import { answerOf, engines, framed, RawClient, starter, until } from './support/rpc-fixture.ts';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const echo = (call: RpcCall): void => call.reply(call.request);

describe.each(engines)('The RPC engine on %s', (_name, create) => {
  const start = starter(create);

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

    it('and counts nothing twice: what follows an answered request is not held against later ones', async () => {
      const { client } = await start({ Unary: echo }, { maxConnectionRequestBytes: 40_000 });
      const overlong = Buffer.concat([framed(text('x')), framed(new Uint8Array(1000)).subarray(0, 500)]);
      for (let index = 0; index < 100; index += 1) await client.call('/test.Echo/Unary', overlong);
      const stream = client.open('/test.Echo/Unary');
      const answer = answerOf(stream);
      const large = framed(new Uint8Array(30_000));
      stream.write(large.subarray(0, 20_000));
      await new Promise((resolve) => setTimeout(resolve, 10));
      stream.end(large.subarray(20_000));
      expect((await answer).trailers['grpc-status']).toBe('0');
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
      expect((await next.call('/test.Echo/Unary', framed(text('x')))).trailers['grpc-status']).toBe('0');
      next.close();
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
      expect((await other.call('/test.Echo/Missing', framed(text('')))).trailers['grpc-status']).toBe('12');
      other.close();
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

    it('and closes those that the engine has given up: a header that cannot be decoded, at once or when it does not answer', async () => {
      const { engine, client, number } = await start({ Unary: echo }, limits);
      await client.call('/test.Echo/Unary', framed(text('x')));
      // HEADERS with an index far beyond the table.
      const closed = speak(number, `${opening}\0\0\x03\x01\x05\0\0\0\x01\xff\xff\x7f`);
      await closed;
      await until(() => engine.openConnections === 1);
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
