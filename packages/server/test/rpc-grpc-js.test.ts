/** The engine as an independent gRPC implementation sees it. */
import * as grpc from '@grpc/grpc-js';
import { StatusCode } from '@quorate/kv';
import { afterEach, describe, expect, it } from 'vitest';
import { engines, startFixture } from './support/rpc-fixture.ts';

const identity = (bytes: Buffer): Buffer => bytes;

describe.each(engines)('The RPC engine on %s, spoken to by @grpc/grpc-js', (_name, create) => {
  const cleanups: (() => Promise<void> | void)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });

  async function start(methods: Parameters<typeof startFixture>[1]): Promise<grpc.Client> {
    const fixture = await startFixture(create, methods);
    const client = new grpc.Client(fixture.address, grpc.credentials.createInsecure(), {
      'grpc.max_send_message_length': -1,
      'grpc.max_receive_message_length': -1,
    });
    cleanups.push(fixture.close, () => client.close());
    return client;
  }

  async function unary(
    client: grpc.Client,
    method: string,
    request: Buffer,
    options: grpc.CallOptions = {},
  ): Promise<Buffer> {
    return await new Promise((resolve, reject) => {
      client.makeUnaryRequest(
        `/test.Echo/${method}`,
        identity,
        identity,
        request,
        new grpc.Metadata(),
        options,
        (error, response) => {
          if (error !== null) reject(error);
          else resolve(response ?? Buffer.alloc(0));
        },
      );
    });
  }

  it('answers calls, small, empty and large', async () => {
    const client = await start({ Unary: (call) => call.reply(call.request) });
    for (const size of [0, 1, 100, 20_000, 1_900_000]) {
      const request = Buffer.alloc(size, 65);
      expect((await unary(client, 'Unary', request)).equals(request)).toBe(true);
    }
  });

  it('fails calls with code, message and outcome', async () => {
    const client = await start({
      Unary: (call) => call.end({ code: StatusCode.unavailable, message: 'no leader – später', outcome: 'refused' }),
    });
    const error: unknown = await unary(client, 'Unary', Buffer.from('x')).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 14, details: 'no leader – später' });
    expect((error as grpc.ServiceError).metadata.get('quorate-outcome')).toEqual(['refused']);
  });

  it('refuses a message over the limit with the status, not with a broken stream', async () => {
    const client = await start({ Unary: (call) => call.reply(call.request) });
    const large = Buffer.alloc(8 * 1024 * 1024);
    await expect(unary(client, 'Unary', large)).rejects.toMatchObject({ code: 8 });
    expect(await unary(client, 'Unary', Buffer.from('next'))).toEqual(Buffer.from('next'));
  });

  it('does not know what is not there', async () => {
    const client = await start({});
    await expect(unary(client, 'Missing', Buffer.from('x'))).rejects.toMatchObject({ code: 12 });
  });

  it('keeps the caller’s deadline', async () => {
    const client = await start({ Unary: () => {} });
    await expect(unary(client, 'Unary', Buffer.from('x'), { deadline: Date.now() + 50 })).rejects.toMatchObject({
      code: 4,
    });
  });

  it('carries a stream both ways', async () => {
    const client = await start({
      EchoStream: (call) => {
        call.send(call.request);
        call.onMessage((message) => {
          if (message === null) call.end({ code: StatusCode.ok, message: '' });
          else call.send(message);
        });
      },
    });
    const stream = client.makeBidiStreamRequest('/test.Echo/EchoStream', identity, identity);
    const received: string[] = [];
    const ended = new Promise<grpc.StatusObject>((resolve) => stream.on('status', resolve));
    stream.on('data', (bytes: Buffer) => {
      received.push(bytes.toString());
      if (received.length === 100) stream.end();
    });
    for (let index = 0; index < 100; index += 1) stream.write(Buffer.from(`message ${index}`));
    expect((await ended).code).toBe(0);
    expect(received).toEqual(Array.from({ length: 100 }, (_, index) => `message ${index}`));
  });
});
