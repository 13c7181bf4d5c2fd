/** Rubbish on the client port: whatever comes, the server goes on serving others and keeps nothing of it. */
import { connect as connectHttp2 } from 'node:http2';
import { connect, createServer } from 'node:net';
import type { RpcCall } from '@quorate/kv';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { engines, type Fixture, framed, RawClient, startFixture } from './support/rpc-fixture.ts';

/** What a well-behaved client sends for a few calls: preface, SETTINGS, HEADERS, DATA. */
async function recordCalls(): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const session = connectHttp2(`http://127.0.0.1:${address.port}`);
  session.on('error', () => {});
  for (const method of ['Unary', 'EchoStream', 'Missing']) {
    const stream = session.request({
      ':method': 'POST',
      ':path': `/test.Echo/${method}`,
      'content-type': 'application/grpc',
      'grpc-timeout': '5S',
    });
    stream.on('error', () => {});
    stream.end(framed(Buffer.from(`a request to ${method}`)));
  }
  const last = Buffer.from('a request to Missing');
  while (!Buffer.concat(chunks).includes(last)) await new Promise((resolve) => setTimeout(resolve, 1));
  session.destroy();
  server.close();
  return Buffer.concat(chunks);
}

/** Sends the bytes, and resolves when the server has closed the connection or answered nothing more for a moment. */
async function throwAt(port: number, pieces: readonly Uint8Array[]): Promise<void> {
  await new Promise<void>((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    const leave = setTimeout(() => socket.destroy(), 15);
    socket.on('error', () => {});
    socket.resume();
    socket.on('close', () => {
      clearTimeout(leave);
      resolve();
    });
    for (const piece of pieces) socket.write(piece);
  });
}

const change = fc.record({
  at: fc.nat(2000),
  kind: fc.constantFrom('flip', 'insert', 'remove', 'repeat'),
  bytes: fc.uint8Array({ minLength: 1, maxLength: 20 }),
});

function mangle(bytes: Buffer, { at, kind, bytes: new_ }: { at: number; kind: string; bytes: Uint8Array }): Buffer {
  // The preface stays, so that what follows reaches the HTTP/2 engine.
  const place = 24 + (at % (bytes.length - 24));
  const [before, after] = [bytes.subarray(0, place), bytes.subarray(place)];
  if (kind === 'insert') return Buffer.concat([before, new_, after]);
  if (kind === 'remove') return Buffer.concat([before, after.subarray(new_.length)]);
  if (kind === 'repeat') return Buffer.concat([before, after.subarray(0, 60), after]);
  return Buffer.concat([before, new_, after.subarray(new_.length)]);
}

describe.each(engines)('The client port with the engine on %s', (_name, create) => {
  let fixture: Fixture;
  let bystander: RawClient;
  let recorded: Buffer;

  beforeAll(async () => {
    const methods = {
      Unary: (call: RpcCall) => call.reply(call.request),
      EchoStream: (call: RpcCall) => {
        call.onMessage((message) => {
          if (message === null) call.end({ code: 0, message: '' });
          else call.send(message);
        });
      },
    };
    fixture = await startFixture(create, methods, { keepAliveIntervalMs: 100, keepAliveTimeoutMs: 500 });
    bystander = new RawClient(fixture.address);
    recorded = await recordCalls();
  });
  afterAll(async () => {
    bystander.close();
    await fixture.close();
  });

  async function isUndisturbed(): Promise<void> {
    const answer = await bystander.call('/test.Echo/Unary', framed(Buffer.from('still served')));
    expect(answer.body).toEqual(framed(Buffer.from('still served')));
  }

  async function keepsNothing(): Promise<void> {
    while (fixture.engine.openCalls > 0 || fixture.engine.openConnections > 1) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  it('survives HTTP/2 with bytes changed, lost, inserted and repeated', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
        const bytes = changes.reduce(mangle, recorded);
        await throwAt(fixture.number, [bytes]);
        await isUndisturbed();
      }),
      { numRuns: 150 },
    );
    await keepsNothing();
  });

  it('survives anything at all, in any pieces', async () => {
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc
        .constantFrom(
          'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
          'GET / HTTP/1.1\r\n',
          'POST /debug/topics HTTP/1.1\r\nContent-Length: 99\r\n\r\n',
        )
        .map((text) => Buffer.from(text)),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { minLength: 1, maxLength: 5 }), async (pieces) => {
        await throwAt(fixture.number, pieces);
        await isUndisturbed();
      }),
      { numRuns: 150 },
    );
    await keepsNothing();
  });
});
