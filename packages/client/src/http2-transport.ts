import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2';
import { timeoutHeader } from './grpc.ts';
import { Http2Call } from './http2-call.ts';
import { Keepalive } from './keepalive.ts';
import { type Settings } from './options.ts';
import {
  type CallHandle,
  type Connection,
  type ConnectionEvents,
  type OutgoingCall,
  type Reply,
  type Transport,
} from './transport.ts';

/** Flow-control windows: what a server may send before we have read it. */
const STREAM_WINDOW_BYTES = 1024 * 1024;
const CONNECTION_WINDOW_BYTES = 8 * 1024 * 1024;
/** Megabytes that Node.js may spend on a session, in place of 10: many calls with large values share it. */
const MAX_SESSION_MEMORY_MB = 256;

/** HTTP/2 has 2^30 calls for a connection; a new one takes over long before. */
const MAX_CALLS_PER_CONNECTION = 2 ** 29;

const USER_AGENT = 'quorate-client/0.1.0';
/** etcd's word for it. */
const NEEDS_LEADER = { hasleader: 'true' } as const;

/** gRPC over plaintext HTTP/2, one session a server. */
export class Http2Transport implements Transport {
  private readonly settings: Settings;

  constructor(settings: Settings) {
    this.settings = settings;
  }

  connect(origin: string, events: ConnectionEvents): Connection {
    return new Http2Connection(origin, this.settings, events);
  }
}

class Http2Connection implements Connection {
  private readonly session: ClientHttp2Session;
  private readonly settings: Settings;
  private readonly authority: string;
  private readonly keepalive: Keepalive;
  private open = false;
  private closing = false;
  private callsInFlight = 0;
  private callsMade = 0;
  private cause: Error | undefined;
  /** Streams above this one were not processed, says the server's GOAWAY. */
  private lastStreamId = Infinity;

  constructor(origin: string, settings: Settings, events: ConnectionEvents) {
    this.settings = settings;
    this.authority = origin.slice('http://'.length);
    this.session = connect(origin, {
      maxSessionMemory: MAX_SESSION_MEMORY_MB,
      settings: { enablePush: false, initialWindowSize: STREAM_WINDOW_BYTES },
    });
    this.keepalive = new Keepalive(this.session, settings, (cause) => this.abandon(cause));
    this.listen(events);
  }

  get usable(): boolean {
    return this.open && !this.closing;
  }

  call({ path, frame, timeoutMs, needsLeader }: OutgoingCall, done: (reply: Reply) => void): CallHandle {
    let stream: ClientHttp2Stream;
    try {
      stream = this.session.request({
        ':method': 'POST',
        ':scheme': 'http',
        ':path': path,
        ':authority': this.authority,
        'content-type': 'application/grpc',
        te: 'trailers',
        'grpc-timeout': timeoutHeader(timeoutMs),
        'user-agent': USER_AGENT,
        ...(needsLeader ? NEEDS_LEADER : {}),
      });
    } catch (cause) {
      process.nextTick(done, { kind: 'notSent', details: 'the connection was just closing', cause });
      return { cancel: () => undefined };
    }
    this.callsInFlight++;
    this.keepalive.watch();
    stream.end(frame);
    if (++this.callsMade >= MAX_CALLS_PER_CONNECTION) this.drain();
    return new Http2Call(stream, this.settings.maxResponseBytes, this.wasRefused, (reply) => {
      this.callsInFlight--;
      if (this.callsInFlight === 0) this.keepalive.rest();
      done(reply);
    });
  }

  /**
   * Not at once: the last answer may have been delivered from within the session's reading, and Node.js 20 corrupts its heap
   * when a session with thousands of streams is destroyed in there.
   */
  destroy(): void {
    this.closing = true;
    setImmediate(() => this.session.destroy());
  }

  private listen(events: ConnectionEvents): void {
    const { session } = this;
    const patience = setTimeout(() => {
      this.abandon(new Error(`no connection within ${this.settings.connectTimeout} ms`));
    }, this.settings.connectTimeout);
    session.on('connect', () => {
      clearTimeout(patience);
      // Node.js says so as well when the connection broke in the very moment in which it was made: then `close` follows.
      if (session.destroyed) return;
      session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
      this.open = true;
      events.opened();
    });
    session.on('goaway', (code: number, lastStreamId: number) => this.onGoaway(code, lastStreamId));
    session.on('error', (error: Error) => {
      this.cause ??= error;
    });
    session.on('close', () => {
      clearTimeout(patience);
      this.keepalive.rest();
      this.open = false;
      events.closed(this.cause ?? (this.closing ? undefined : new Error('the server closed the connection')));
    });
  }

  /** Takes no more calls and closes when those in flight have been answered. */
  private drain(): void {
    this.closing = true;
    this.session.close();
  }

  private abandon(cause: Error): void {
    this.cause ??= cause;
    this.session.destroy(cause);
  }

  private onGoaway(code: number, lastStreamId: number): void {
    this.closing = true;
    this.lastStreamId = Math.min(this.lastStreamId, lastStreamId);
    this.cause ??= new Error(
      code === constants.NGHTTP2_NO_ERROR
        ? 'the server is shutting this connection down'
        : `the server ended the connection with HTTP/2 error ${code}`,
    );
  }

  private readonly wasRefused = (stream: ClientHttp2Stream): boolean => {
    return stream.id !== undefined && stream.id > this.lastStreamId;
  };
}
