import { connect, type Socket } from 'node:net';
import { type ClientPortLimits, createHttp2Engine } from '@quorate/server';
import { afterEach, describe, expect, it } from 'vitest';
import { type Fixture, framed, RawClient, startFixture } from './support/rpc-fixture.ts';

describe('One port for clients', () => {
  const cleanups: (() => Promise<void> | void)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });

  async function start(portLimits: Partial<ClientPortLimits> = {}): Promise<Fixture> {
    const fixture = await startFixture(
      createHttp2Engine,
      { Unary: (call) => call.reply(call.request) },
      {},
      portLimits,
    );
    cleanups.push(fixture.close);
    return fixture;
  }

  function dial(fixture: Fixture): Socket {
    const socket = connect({ port: fixture.number, host: '127.0.0.1', noDelay: true });
    socket.on('error', () => {});
    cleanups.push(() => {
      socket.destroy();
    });
    return socket;
  }

  it('speaks gRPC to who begins with the preface and HTTP/1 to everyone else', async () => {
    const fixture = await start();
    const response = await fetch(`http://${fixture.address}/anything`);
    expect(await response.text()).toBe('plain');
    const client = new RawClient(fixture.address);
    cleanups.push(() => client.close());
    const answer = await client.call('/test.Echo/Unary', framed(Buffer.from('both')));
    expect(answer.body).toEqual(framed(Buffer.from('both')));
  });

  it('recognises HTTP/1 that arrives byte by byte, also when it begins as the preface does', async () => {
    const fixture = await start();
    const socket = dial(fixture);
    const received: Buffer[] = [];
    const closed = new Promise((resolve) => socket.on('close', resolve));
    socket.on('data', (chunk: Buffer) => received.push(chunk));
    for (const byte of Buffer.from('PROPFIND / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')) {
      socket.write(Buffer.of(byte));
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await closed;
    expect(Buffer.concat(received).toString()).toMatch(/^HTTP\/1\.1 200 OK/);
  });

  it('recognises HTTP/2 whose preface arrives byte by byte', async () => {
    const fixture = await start();
    const socket = dial(fixture);
    const first = new Promise<Buffer>((resolve) => socket.once('data', resolve));
    for (const byte of Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0', 'latin1')) {
      socket.write(Buffer.of(byte));
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    // A SETTINGS frame: type 4 on stream 0.
    expect((await first)[3]).toBe(4);
  });

  it.each(['', 'P', 'PR'])('closes a connection that says only %j, and then nothing', async (bytes) => {
    const fixture = await start({ sniffTimeoutMs: 50 });
    const socket = dial(fixture);
    const closed = new Promise((resolve) => socket.on('close', resolve));
    socket.write(bytes);
    await closed;
  });

  it('closes at once a connection that ends before it says anything', async () => {
    const fixture = await start({ sniffTimeoutMs: 60_000 });
    const socket = dial(fixture);
    const closed = new Promise((resolve) => socket.on('close', resolve));
    socket.resume();
    socket.end();
    await closed;
  });

  it('closes connections beyond its limit, says so once, and serves those it has', async () => {
    const fixture = await start({ maxConnections: 3 });
    const client = new RawClient(fixture.address);
    cleanups.push(() => client.close());
    await client.call('/test.Echo/Unary', framed(Buffer.from('first')));
    const others = Array.from({ length: 10 }, () => dial(fixture));
    const closed = others.map(async (socket) => {
      socket.resume();
      await new Promise((resolve) => socket.on('close', resolve));
    });
    // Two find room, and are closed later because they say nothing.
    await Promise.all(closed);
    const answer = await client.call('/test.Echo/Unary', framed(Buffer.from('still')));
    expect(answer.body).toEqual(framed(Buffer.from('still')));
    expect(fixture.lines.filter((line) => line.startsWith('Too many client connections'))).toHaveLength(1);
  });

  it('says why when the address is taken', async () => {
    const fixture = await start();
    await expect(fixture.port.listen({ host: '127.0.0.1', port: fixture.number })).rejects.toMatchObject({
      code: 'EADDRINUSE',
    });
  });
});
