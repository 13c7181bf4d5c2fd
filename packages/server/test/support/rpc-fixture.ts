/** A client port with a scripted service behind it, for the tests of the RPC room. Every engine is run through them. */
import { createServer as createHttpServer } from 'node:http';
import { connect, type ClientHttp2Session, type ClientHttp2Stream, type OutgoingHttpHeaders } from 'node:http2';
import { afterEach } from 'vitest';
import type { RpcCall, RpcMethod, RpcService } from '@quorate/kv';
import {
  ClientPort,
  type ClientPortLimits,
  createHttp2Engine,
  type RpcEngine,
  type RpcEngineOptions,
  type RpcLimits,
} from '@quorate/server';

export const engines: readonly (readonly [string, (options: RpcEngineOptions) => RpcEngine])[] = [
  ['node:http2', createHttp2Engine],
];

export interface Fixture {
  readonly engine: RpcEngine;
  readonly port: ClientPort;
  readonly address: string;
  readonly number: number;
  /** What was logged. */
  readonly lines: readonly string[];
  readonly close: () => Promise<void>;
}

export function now(): number {
  return Math.floor(performance.now() * 1000);
}

export async function startFixture(
  create: (options: RpcEngineOptions) => RpcEngine,
  methods: Readonly<Record<string, (call: RpcCall) => void>>,
  limits: Partial<RpcLimits> = {},
  portLimits: Partial<ClientPortLimits> = {},
): Promise<Fixture> {
  const lines: string[] = [];
  const logger = { log: (_level: string, message: string) => void lines.push(message) };
  const engine = create({ service: serviceOf(methods), now, logger, limits });
  const http = createHttpServer((_request, response) => {
    response.end('plain');
  });
  const port = new ClientPort({ engine, http, logger, limits: { sniffTimeoutMs: 1000, ...portLimits } });
  const bound = await port.listen({ host: '127.0.0.1', port: 0 });
  return {
    engine,
    port,
    address: `127.0.0.1:${bound.port}`,
    number: bound.port,
    lines,
    close: async () => {
      port.stopListening();
      await engine.close(100);
      http.close();
      port.destroy();
    },
  };
}

/** Methods named `…Stream` are bidirectional streams, the others unary. */
export function serviceOf(methods: Readonly<Record<string, (call: RpcCall) => void>>): RpcService {
  const entries = Object.entries(methods).map(([name, handle]): [string, RpcMethod] => {
    const streaming = name.endsWith('Stream');
    return [`/test.Echo/${name}`, { clientStreaming: streaming, serverStreaming: streaming, handle }];
  });
  return { methods: new Map(entries) };
}

export interface Answer {
  readonly headers: Readonly<Record<string, unknown>>;
  readonly trailers: Readonly<Record<string, unknown>>;
  readonly body: Buffer;
  readonly resetCode: number | undefined;
}

export function framed(message: Uint8Array, flag = 0): Buffer {
  const bytes = Buffer.alloc(5 + message.length);
  bytes[0] = flag;
  bytes.writeUInt32BE(message.length, 1);
  bytes.set(message, 5);
  return bytes;
}

/** A raw HTTP/2 client: what gRPC libraries would never send can be sent with it. */
export class RawClient {
  readonly session: ClientHttp2Session;

  constructor(address: string) {
    this.session = connect(`http://${address}`);
    this.session.on('error', () => {});
  }

  open(path: string, headers: OutgoingHttpHeaders = {}): ClientHttp2Stream {
    const stream = this.session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    });
    stream.on('error', () => {});
    return stream;
  }

  async call(path: string, body: Uint8Array, headers: OutgoingHttpHeaders = {}): Promise<Answer> {
    const stream = this.open(path, headers);
    stream.end(body);
    return await answerOf(stream);
  }

  close(): void {
    this.session.destroy();
  }
}

export async function answerOf(stream: ClientHttp2Stream): Promise<Answer> {
  let headers: Readonly<Record<string, unknown>> = {};
  let trailers: Readonly<Record<string, unknown>> = {};
  const chunks: Buffer[] = [];
  stream.on('response', (received) => {
    headers = received;
  });
  stream.on('trailers', (received: Readonly<Record<string, unknown>>) => {
    trailers = received;
  });
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  return await new Promise((resolve) => {
    stream.on('close', () => {
      // A trailers-only answer carries its status in the only headers that there are.
      const last = headers['grpc-status'] === undefined ? trailers : headers;
      resolve({ headers, trailers: last, body: Buffer.concat(chunks), resetCode: stream.rstCode });
    });
  });
}

export type Starter = (
  methods: Readonly<Record<string, (call: RpcCall) => void>>,
  limits?: Partial<RpcLimits>,
) => Promise<Fixture & { readonly client: RawClient }>;

/** For a suite: starts fixtures with a client each, and closes them after each test. */
export function starter(create: (options: RpcEngineOptions) => RpcEngine): Starter {
  const cleanups: (() => Promise<void> | void)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });
  return async (methods, limits = {}) => {
    const fixture = await startFixture(create, methods, limits);
    const client = new RawClient(fixture.address);
    cleanups.push(fixture.close, () => client.close());
    return { ...fixture, client };
  };
}

/** Waits for a condition; the test's own time limit is the only one. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
}
