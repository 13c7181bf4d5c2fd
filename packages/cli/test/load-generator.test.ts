import { type AddressInfo } from 'node:net';
import { createServer, type Http2Server } from 'node:http2';
import { PutRequest } from '@quorate/kv/api';
import { afterEach, describe, expect, test } from 'vitest';
import { decodeHuffman, keyOf, newHistogram, quantile, RawGrpcConnection, record } from '@quorate/evaluation/load';
import { runLoad } from '../src/bench/load.ts';

let server: Http2Server | null = null;

afterEach(() => {
  server?.close();
  server = null;
});

/** A gRPC server on node:http2 that hands each request message to `handle` and answers its status. */
async function serve(
  handle: (path: string, message: Uint8Array) => { status: string; body?: Uint8Array },
): Promise<number> {
  server = createServer();
  // Some of these tests tear connections down on purpose.
  server.on('sessionError', () => undefined);
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined);
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => {
      const { status, body } = handle(String(headers[':path']), Buffer.concat(chunks).subarray(5));
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': status, 'grpc-message': `said ${status}` }));
      const frame = Buffer.alloc(5 + (body?.length ?? 0));
      frame.writeUInt32BE(body?.length ?? 0, 1);
      frame.set(body ?? [], 5);
      stream.end(frame);
    });
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

describe('the load generator', () => {
  test('speaks HTTP/2 with node:http2: path, message, status, message text and body arrive', async () => {
    const seen: string[] = [];
    const port = await serve((path, message) => {
      seen.push(`${path} ${Buffer.from(message).toString()}`);
      return { status: seen.length === 1 ? '0' : '14', body: Buffer.from('answer') };
    });
    const connection = new RawGrpcConnection('127.0.0.1', port, '/a.B/C', {
      keepBodies: true,
      onFailure: (error) => expect.unreachable(error.message),
    });
    const call = (text: string): Promise<string> =>
      new Promise((resolve) => {
        connection.call(Buffer.from(text), ({ grpcStatus, grpcMessage, body }) => {
          resolve(`${grpcStatus} ${grpcMessage} ${Buffer.from(body ?? []).toString()}`);
        });
      });
    expect(await call('one')).toBe('0 said 0 answer');
    expect(await call('two')).toBe('14 said 14 answer');
    expect(seen).toEqual(['/a.B/C one', '/a.B/C two']);
    connection.close();
  });

  test('more than the send window at once: every request arrives whole, in the end', async () => {
    let bytes = 0;
    const port = await serve((_, message) => {
      bytes += message.length;
      return { status: '0' };
    });
    const connection = new RawGrpcConnection('127.0.0.1', port, '/a.B/C', {
      keepBodies: false,
      onFailure: (error) => expect.unreachable(error.message),
    });
    const message = Buffer.alloc(10_000, 1);
    const calls = Array.from(
      { length: 50 },
      () => new Promise<void>((resolve) => connection.call(message, () => resolve())),
    );
    await Promise.all(calls);
    expect(bytes).toBe(500_000);
    connection.close();
  });

  test('a run of puts: keys wander, every answer is counted, refusals apart', async () => {
    const keys = new Set<string>();
    let requests = 0;
    const port = await serve((_, message) => {
      const put = PutRequest.decode(message);
      keys.add(Buffer.from(put.key).toString());
      expect(put.value.length).toBe(64);
      requests++;
      return { status: requests % 10 === 0 ? '8' : '0' };
    });
    const result = await runLoad({
      host: '127.0.0.1',
      port,
      work: 'put',
      clients: 4,
      connections: 2,
      seconds: 0.3,
      warmUpSeconds: 0.05,
      valueBytes: 64,
      keys: 20,
    });
    expect(result.operations).toBeGreaterThan(0);
    expect(result.failures['8 said 8']).toBeGreaterThan(0);
    expect(result.operations).toBeLessThanOrEqual(requests);
    expect([...keys].sort()).toEqual(Array.from({ length: 20 }, (_, n) => keyOf(n)));
  });

  test('a server that goes away ends the run with an error', async () => {
    const port = await serve(() => ({ status: '0' }));
    const run = runLoad({
      host: '127.0.0.1',
      port,
      work: 'range',
      clients: 1,
      connections: 1,
      seconds: 30,
      warmUpSeconds: 0,
      valueBytes: 1,
      keys: 1,
    });
    server?.on('session', (session) => {
      session.socket.on('error', () => undefined);
      setTimeout(() => session.destroy(), 50);
    });
    await expect(run).rejects.toThrow(/closed|ECONNRESET|GOAWAY/);
  });

  test('the Huffman code of RFC 7541, appendix C.4.1 and C.6.1', () => {
    expect(decodeHuffman(Buffer.from('f1e3c2e5f23a6ba0ab90f4ff', 'hex'))).toBe('www.example.com');
    expect(decodeHuffman(Buffer.from('6402', 'hex'))).toBe('302');
    expect(() => decodeHuffman(Buffer.from('60', 'hex'))).toThrow('padding');
  });

  test('the histogram knows quantiles to within 1.6 %', () => {
    const histogram = newHistogram();
    for (let micros = 1; micros <= 100_000; micros++) record(histogram, micros);
    for (const share of [0.01, 0.5, 0.99, 1]) {
      expect(Math.abs(quantile(histogram, share) / (100_000 * share) - 1)).toBeLessThan(0.016);
    }
    expect(quantile(newHistogram(), 0.5)).toBeNaN();
  });
});
