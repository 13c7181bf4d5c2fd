import { once } from 'node:events';
import { createServer, type Http2Server, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { type AddressInfo, type Socket } from 'node:net';
import {
  type CallOutcome,
  type MethodDescriptor,
  OUTCOME_TRAILER,
  PutResponse,
  ResponseHeader,
  services,
  type StatusCode,
  StatusResponse,
} from '@quorate/kv/api';

/** One call as it has come in, to be answered by a script. */
export interface FakeCall {
  readonly path: string;
  readonly stream: ServerHttp2Stream;
  readonly timeout: string | undefined;
  readonly message: Uint8Array;
  reply<Response>(
    method: MethodDescriptor<never, Response> | { response: { encode(m: Response): Uint8Array } },
    response: Response,
  ): void;
  replyBytes(bytes: Uint8Array): void;
  fail(status: StatusCode, message: string, outcome?: CallOutcome): void;
}

export type Script = (call: FakeCall) => void;

/** A gRPC server on a real socket that does what the test tells it. Status is answered by itself. */
export class FakeServer {
  readonly memberId: bigint;
  endpoint = '';
  /** What Status says. */
  leader = 0n;
  term = 1;
  script: Script = (call) => call.reply(services.KV.Put, PutResponse.create({ header: this.header() }));
  onStatus: Script = (call) => this.answerStatus(call);
  /** Paths of all calls, Status left out. */
  readonly calls: string[] = [];
  statusCalls = 0;
  private readonly server: Http2Server = createServer();
  readonly sessions = new Set<ServerHttp2Session>();
  private readonly sockets = new Set<Socket>();

  constructor(memberId: bigint) {
    this.memberId = memberId;
    this.server.on('connection', (socket: Socket) => {
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
    });
    this.server.on('session', (session) => {
      this.sessions.add(session);
      session.on('close', () => this.sessions.delete(session));
      session.on('error', () => undefined);
    });
    this.server.on('stream', (stream, headers) =>
      this.onStream(stream, headers[':path'] ?? '', headers['grpc-timeout']),
    );
  }

  async listen(port = 0): Promise<void> {
    this.server.listen(port, '127.0.0.1');
    await once(this.server, 'listening');
    this.endpoint = `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  get port(): number {
    return Number(this.endpoint.split(':')[1]);
  }

  /** As if killed: nobody listens, and every connection is reset. */
  async kill(): Promise<void> {
    const closed = this.server.listening ? once(this.server, 'close') : undefined;
    this.server.close();
    this.reset();
    await closed;
  }

  /** Resets every connection. */
  reset(): void {
    for (const socket of this.sockets) socket.resetAndDestroy();
  }

  header(): ResponseHeader {
    return ResponseHeader.create({ clusterId: 7n, memberId: this.memberId, revision: 42, raftTerm: this.term });
  }

  private answerStatus(call: FakeCall): void {
    const header = this.header();
    const { leader, term } = this;
    call.reply(
      services.Maintenance.Status,
      StatusResponse.create({ header, leader, raftTerm: term, version: '3.5.0' }),
    );
  }

  private onStream(stream: ServerHttp2Stream, path: string, timeout: string | string[] | undefined): void {
    const chunks: Buffer[] = [];
    stream.on('error', () => undefined);
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => {
      const call = fakeCall(stream, path, typeof timeout === 'string' ? timeout : undefined, Buffer.concat(chunks));
      if (path === services.Maintenance.Status.path) {
        this.statusCalls++;
        this.onStatus(call);
      } else {
        this.calls.push(path);
        this.script(call);
      }
    });
  }
}

function fakeCall(stream: ServerHttp2Stream, path: string, timeout: string | undefined, frame: Buffer): FakeCall {
  const replyBytes = (bytes: Uint8Array): void => {
    if (stream.destroyed) return;
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.end(bytes);
  };
  return {
    path,
    stream,
    timeout,
    message: frame.subarray(5),
    replyBytes,
    reply(method, response) {
      replyBytes(framed(method.response.encode(response)));
    },
    fail(status, message, outcome) {
      stream.respond(
        {
          ':status': 200,
          'content-type': 'application/grpc',
          'grpc-status': String(status),
          'grpc-message': encodeURIComponent(message),
          ...(outcome === undefined ? {} : { [OUTCOME_TRAILER]: outcome }),
        },
        { endStream: true },
      );
    },
  };
}

export function framed(message: Uint8Array): Buffer {
  const frame = Buffer.alloc(5 + message.length);
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, 5);
  return frame;
}
