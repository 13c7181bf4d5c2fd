/** The RPC room's first engine: gRPC on node:http2. */
import {
  constants,
  createServer,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Socket } from 'node:net';
import { Bag, type RpcMethod, type RpcService, type RpcStatus, StatusCode } from '@quorate/kv';
import type { Logger } from '@quorate/runtime';
import { defaultRpcLimits, type RpcEngine, type RpcEngineOptions, type RpcLimits } from './engine.ts';
import { type CallCarrier, Http2Call } from './http2-call.ts';
import { isGrpc, parseTimeout, trailersOf } from './metadata.ts';

/** How often calls are looked over for what has taken too long. Calls without trouble pay nothing for their deadlines. */
const sweepIntervalMs = 250;

export function createHttp2Engine(options: RpcEngineOptions): RpcEngine {
  return new Http2Engine(options);
}

class Http2Engine implements RpcEngine {
  readonly limits: RpcLimits;
  readonly service: RpcService;
  readonly now: () => number;
  readonly #logger: Logger;
  readonly #server;
  readonly #connections = new Set<Http2Connection>();
  readonly #sweeper: NodeJS.Timeout;
  /** The socket whose session is being made. */
  #arriving: Socket | null = null;
  #requestBytes = 0;
  #responseBytes = 0;

  constructor(options: RpcEngineOptions) {
    this.limits = { ...defaultRpcLimits, ...options.limits };
    this.service = options.service;
    this.now = options.now;
    this.#logger = options.logger;
    this.#server = createServer({
      maxSessionMemory: this.limits.maxConnectionMemoryMiB,
      settings: {
        enablePush: false,
        maxConcurrentStreams: this.limits.maxConcurrentStreams,
        maxHeaderListSize: this.limits.maxHeaderBytes,
      },
    });
    this.#server.on('session', (session) => this.#open(session));
    this.#server.on('sessionError', (error) => {
      this.#logger.log('debug', 'A client connection broke the HTTP/2 protocol or was lost', { reason: error.message });
    });
    this.#sweeper = setInterval(() => this.#sweep(), sweepIntervalMs);
    this.#sweeper.unref();
  }

  accept(socket: Socket): void {
    this.#arriving = socket;
    this.#server.emit('connection', socket);
    this.#arriving = null;
  }

  get openCalls(): number {
    let calls = 0;
    for (const connection of this.#connections) calls += connection.calls.size;
    return calls;
  }

  get openConnections(): number {
    return this.#connections.size;
  }

  reserve(bytes: number): boolean {
    this.#requestBytes += bytes;
    return this.#requestBytes <= this.limits.maxTotalRequestBytes;
  }

  /** One answer alone may be as large as its service makes it. */
  reserveResponse(bytes: number): boolean {
    if (this.#responseBytes > 0 && this.#responseBytes + bytes > this.limits.maxTotalResponseBytes) return false;
    this.#responseBytes += bytes;
    return true;
  }

  releaseResponse(bytes: number): void {
    this.#responseBytes -= bytes;
  }

  broken(call: Http2Call, error: unknown): void {
    const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#logger.log('error', `The handler of ${call.method} threw; please report this`, { reason });
  }

  async close(graceMs: number): Promise<void> {
    clearInterval(this.#sweeper);
    const drained = [...this.#connections].map(async (connection) => connection.drain());
    let timer: NodeJS.Timeout | undefined;
    const tooLong = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, graceMs);
    });
    await Promise.race([Promise.all(drained), tooLong]);
    clearTimeout(timer);
    // The last answer may have ended the wait from within a session's own reading, and Node.js 20 corrupts its heap when a session
    // with thousands of streams behind it is destroyed in there.
    await new Promise<void>((resolve) => setImmediate(resolve));
    await Promise.all([...this.#connections].map(async (connection) => connection.destroy()));
  }

  #open(session: ServerHttp2Session): void {
    if (this.#arriving === null) throw new Error('An HTTP/2 session without a socket');
    const connection = new Http2Connection(session, this.#arriving, this);
    this.#connections.add(connection);
    session.on('close', () => this.#connections.delete(connection));
  }

  #sweep(): void {
    const now = this.now();
    for (const connection of this.#connections) connection.sweep(now);
  }
}

class Http2Connection implements CallCarrier {
  readonly limits: RpcLimits;
  readonly calls = new Bag<Http2Call>();
  readonly #session: ServerHttp2Session;
  readonly #socket: Socket;
  readonly #engine: Http2Engine;
  #requestBytes = 0;
  #lastHeard: number;
  /** When the PING went out that has no answer yet. */
  #asked: number | null = null;

  constructor(session: ServerHttp2Session, socket: Socket, engine: Http2Engine) {
    this.limits = engine.limits;
    this.#session = session;
    this.#socket = socket;
    this.#engine = engine;
    this.#lastHeard = engine.now();
    session.on('stream', (stream, headers) => this.#begin(stream, headers));
  }

  now(): number {
    return this.#engine.now();
  }

  reserve(bytes: number): boolean {
    this.#requestBytes += bytes;
    return this.#engine.reserve(bytes) && this.#requestBytes <= this.limits.maxConnectionRequestBytes;
  }

  reserveResponse(bytes: number): boolean {
    return this.#engine.reserveResponse(bytes);
  }

  releaseResponse(bytes: number): void {
    this.#engine.releaseResponse(bytes);
  }

  finished(call: Http2Call): void {
    this.calls.delete(call);
  }

  broken(call: Http2Call, error: unknown): void {
    this.#engine.broken(call, error);
  }

  #begin(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    this.#lastHeard = this.now();
    const path = headers[':path'] ?? '';
    const handler = this.#engine.service.methods.get(path);
    const timeout = parseTimeout(single(headers['grpc-timeout']));
    const refusal = refusalOf(headers, timeout, handler, path);
    if (refusal === null && handler !== undefined && timeout !== null) {
      this.calls.add(new Http2Call(stream, headers, path, timeout, handler, this));
    } else if (refusal !== null) {
      refuse(stream, refusal);
    }
  }

  /** Ends what has taken too long: requests that never become whole, and calls that their handler forgot. */
  sweep(now: number): void {
    const grace = this.limits.deadlineGraceMs * 1000;
    const oldest = now - this.limits.requestTimeoutMs * 1000;
    for (const call of this.calls.values()) {
      if (!call.started && call.began < oldest) {
        call.end({
          code: StatusCode.cancelled,
          message: 'grpc: the request did not arrive in time',
          outcome: 'refused',
        });
      } else if (call.deadline + grace < now) {
        call.end({ code: StatusCode.deadlineExceeded, message: 'context deadline exceeded', outcome: 'unknown' });
      }
    }
    this.#checkAlive(now);
  }

  /**
   * Finds the other end gone, or the session beyond use: after some violations of the protocol node:http2 says GOAWAY, reads
   * no more, and leaves the socket open without a word to anyone.
   */
  #checkAlive(now: number): void {
    if (this.#session.destroyed) return;
    if (this.#asked !== null) {
      // The socket, not the session: a session that has given up does not even finish its own destruction.
      if (now - this.#asked > this.limits.keepAliveTimeoutMs * 1000) this.#socket.destroy();
    } else if (now - this.#lastHeard > this.limits.keepAliveIntervalMs * 1000) {
      this.#asked = now;
      this.#session.ping((error) => {
        if (error !== null) return; // closed meanwhile, or the check above will close it
        this.#asked = null;
        this.#lastHeard = this.now();
      });
    }
  }

  async drain(): Promise<void> {
    const stopped = { code: StatusCode.unavailable, message: 'etcdserver: server stopped' } as const;
    for (const call of this.calls.values()) {
      if (!call.started) call.end({ ...stopped, outcome: 'refused' });
      else if (call.streaming) call.end(stopped);
    }
    await new Promise<void>((resolve) => {
      this.#session.close(resolve);
    });
  }

  async destroy(): Promise<void> {
    if (this.#session.destroyed) return;
    await new Promise<void>((resolve) => {
      this.#session.once('close', resolve);
      this.#session.destroy();
      this.#socket.destroySoon();
    });
  }
}

type Refusal = { readonly httpStatus: number } | { readonly status: RpcStatus };

function refusalOf(
  headers: IncomingHttpHeaders,
  timeout: number | null,
  handler: RpcMethod | undefined,
  path: string,
): Refusal | null {
  if (headers[':method'] !== 'POST') return { httpStatus: 405 };
  if (!isGrpc(headers['content-type'])) return { httpStatus: 415 };
  if (handler === undefined) return { status: unknownMethod(path) };
  if (timeout === null) {
    return {
      status: {
        code: StatusCode.internal,
        message: `malformed grpc-timeout: ${single(headers['grpc-timeout']) ?? ''}`,
      },
    };
  }
  const encoding = single(headers['grpc-encoding']);
  if (encoding === undefined || encoding === 'identity') return null;
  return {
    status: {
      code: StatusCode.unimplemented,
      message: `grpc: grpc-encoding "${encoding}" is not supported here; send with grpc-encoding identity`,
    },
  };
}

function unknownMethod(path: string): RpcStatus {
  const [, service = '', method] = path.split('/');
  const message =
    method === undefined ? `malformed method name: "${path}"` : `unknown method ${method} for service ${service}`;
  return { code: StatusCode.unimplemented, message };
}

function refuse(stream: ServerHttp2Stream, refusal: Refusal): void {
  stream.on('error', ignore);
  if (stream.destroyed || stream.closed) return;
  if ('httpStatus' in refusal) {
    stream.respond({ ':status': refusal.httpStatus }, { endStream: true });
  } else {
    const headers = { ':status': 200, 'content-type': 'application/grpc', ...trailersOf(refusal.status) };
    stream.respond(headers, { endStream: true });
  }
  // The request's body is not wanted. Not at once: closing in this very turn may drop the answer.
  setImmediate(() => {
    if (!stream.readableEnded && !stream.destroyed) stream.close(constants.NGHTTP2_NO_ERROR);
  });
}

function single(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : value?.join(',');
}

function ignore(): void {}
