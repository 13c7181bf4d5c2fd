/** One gRPC call on one HTTP/2 stream of node:http2. */
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { constants } from 'node:http2';
import { type Bagged, type RpcCall, type RpcMethod, type RpcStatus, StatusCode } from '@quorate/kv';
import type { RpcLimits } from './engine.ts';
import { MessageAssembler, prefixBytes } from './message-assembler.ts';
import { okTrailers, trailersOf } from './metadata.ts';

/** What a call needs of the connection that carries it. */
export interface CallCarrier {
  readonly limits: RpcLimits;
  now(): number;
  /** Counts `bytes` (negative: releases) of unfinished requests; false if they are too many now. */
  reserve(bytes: number): boolean;
  /** Counts `bytes` of an answer that is about to be sent; false if too many have not been taken yet. */
  reserveResponse(bytes: number): boolean;
  releaseResponse(bytes: number): void;
  finished(call: Http2Call): void;
  /** A handler threw. */
  broken(call: Http2Call, error: unknown): void;
}

const responseHeaders = { ':status': 200, 'content-type': 'application/grpc' };
const withTrailers = { waitForTrailers: true, sendDate: false };
const headersOnly = { endStream: true, sendDate: false };
/** Up to here prefix and message are copied together into one frame; beyond, the copy costs more than a second write. */
const largestCopy = 16 * 1024;
/** What a waiting message costs besides its bytes. */
const waitingOverhead = 128;
const nothing = new Uint8Array(0);
/** The request has been carried out, whatever it was; only its answer is missing. */
const untaken: RpcStatus = {
  code: StatusCode.resourceExhausted,
  message: 'grpc: too many large answers wait to be taken from this server; read them, or ask for less at once',
  outcome: 'unknown',
};

/** A stream knows its call until it is closed: node:http2 keeps streams for longer (docs/architecture.md, "Garbage"). */
const callOf = Symbol('the call of a stream');

interface CallStream extends ServerHttp2Stream {
  [callOf]?: Http2Call | null;
}

export class Http2Call implements RpcCall, Bagged {
  readonly method: string;
  readonly deadline: number;
  /** When the request began. */
  readonly began: number;
  place = -1;
  readonly #stream: CallStream;
  readonly #headers: IncomingHttpHeaders;
  readonly #handler: RpcMethod;
  readonly #carrier: CallCarrier;
  readonly #assembler: MessageAssembler;

  #request: Uint8Array = nothing;
  #reserved = 0;
  /** Bytes of a large answer, counted until the stream is closed. */
  #responseBytes = 0;
  #metadata: ReadonlyMap<string, string> | null = null;
  /** The handler has the call. */
  #started = false;
  /** The caller has closed its side. */
  #requestEnded = false;
  #ended = false;
  #gone = false;
  #onCancel: (() => void) | null = null;
  #onMessage: ((message: Uint8Array | null) => void) | null = null;
  /** Messages of a client stream that came before anyone listened. */
  #waiting: (Uint8Array | null)[] = [];
  #waitingBytes = 0;
  #trailers = okTrailers;

  constructor(
    stream: CallStream,
    headers: IncomingHttpHeaders,
    path: string,
    timeout: number,
    handler: RpcMethod,
    carrier: CallCarrier,
  ) {
    this.method = path;
    this.began = carrier.now();
    this.deadline = this.began + timeout;
    this.#stream = stream;
    this.#headers = headers;
    this.#handler = handler;
    this.#carrier = carrier;
    this.#assembler = new MessageAssembler(carrier.limits.maxMessageBytes);
    stream[callOf] = this;
    stream.on('data', onData);
    stream.on('end', onEnd);
    stream.on('close', onClose);
    // The stream closes after an error, and `closed` tells the handler: nothing is lost by not listening to the reason.
    stream.on('error', ignore);
  }

  get request(): Uint8Array {
    return this.#request;
  }

  get streaming(): boolean {
    return this.#handler.clientStreaming || this.#handler.serverStreaming;
  }

  /** A whole request has come in, so that the handler has it. */
  get started(): boolean {
    return this.#started;
  }

  get metadata(): ReadonlyMap<string, string> {
    this.#metadata ??= metadataOf(this.#headers);
    return this.#metadata;
  }

  get cancelled(): boolean {
    return this.#lost || this.#carrier.now() >= this.deadline;
  }

  /** The stream is of no use any more, though its 'close' may not have been told yet. */
  get #lost(): boolean {
    return this.#gone || this.#stream.destroyed || this.#stream.closed;
  }

  onCancel(listener: () => void): void {
    if (this.#gone) setImmediate(listener);
    else this.#onCancel = listener;
  }

  onMessage(listener: (message: Uint8Array | null) => void): void {
    this.#onMessage = listener;
    if (this.#waiting.length === 0) return;
    setImmediate(() => {
      const waiting = this.#waiting;
      this.#waiting = [];
      this.#waitingBytes = 0;
      this.#account();
      for (const message of waiting) if (!this.#ended) listener(message);
      if (!this.#lost) this.#stream.resume();
    });
  }

  // ---------------------------------------------------------------------------------------------------------- request

  receive(chunk: Uint8Array): void {
    if (this.#ended) return;
    const fault = this.#assembler.push(chunk, (message) => this.#receiveMessage(message));
    if (fault !== null) return this.end(fault);
    this.#account();
  }

  #receiveMessage(message: Uint8Array): void {
    if (this.#ended) return;
    if (!this.#started) {
      this.#started = true;
      this.#request = message;
      this.#handle();
      return;
    }
    if (!this.#handler.clientStreaming) {
      return this.end({ code: StatusCode.internal, message: 'grpc: more than one message in a unary request' });
    }
    this.#deliver(message);
  }

  #handle(): void {
    try {
      this.#handler.handle(this);
    } catch (error) {
      // Against its contract. One request's trouble must not become everybody's.
      this.#carrier.broken(this, error);
      this.end({ code: StatusCode.internal, message: 'etcdserver: internal error', outcome: 'unknown' });
    }
  }

  receiveEnd(): void {
    this.#requestEnded = true;
    if (this.#ended) return;
    if (this.#assembler.partial || !this.#started) {
      return this.end({ code: StatusCode.internal, message: 'grpc: the request ended before its message did' });
    }
    if (this.#handler.clientStreaming) this.#deliver(null);
  }

  /** A client stream that nobody listens to yet, or still delivers, is paused: the rest waits at the caller. */
  #deliver(message: Uint8Array | null): void {
    if (this.#onMessage !== null && this.#waiting.length === 0) return this.#onMessage(message);
    this.#waiting.push(message);
    this.#waitingBytes += waitingOverhead + (message?.length ?? 0);
    this.#stream.pause();
    this.#account();
  }

  /** Holds the connection to its share of memory for what is not yet whole or not yet taken. */
  #account(): void {
    if (this.#ended) return;
    const held = this.#assembler.heldBytes + this.#waitingBytes;
    if (held === this.#reserved) return;
    const more = held - this.#reserved;
    this.#reserved = held;
    if (this.#carrier.reserve(more)) return;
    this.end({
      code: StatusCode.resourceExhausted,
      message: 'grpc: too many unfinished requests on this server; send fewer at once',
      outcome: 'refused',
    });
  }

  #release(): void {
    if (this.#reserved === 0) return;
    this.#carrier.reserve(-this.#reserved);
    this.#reserved = 0;
  }

  // --------------------------------------------------------------------------------------------------------- response

  get backedUp(): boolean {
    return this.#stream.writableNeedDrain;
  }

  onDrain(listener: () => void): void {
    if (this.#lost || !this.#stream.writableNeedDrain) setImmediate(listener);
    else this.#stream.once('drain', listener);
  }

  send(message: Uint8Array): void {
    if (this.#ended || this.#lost) return;
    if (this.#stream.writableLength > this.#carrier.limits.maxStreamResponseBytes) {
      return this.end({ code: StatusCode.resourceExhausted, message: 'grpc: the caller reads too slowly' });
    }
    this.#respond();
    this.#write(message);
  }

  reply(message: Uint8Array): void {
    if (this.#ended || this.#lost) return;
    if (message.length > largestCopy) {
      if (!this.#carrier.reserveResponse(message.length)) return this.end(untaken);
      this.#responseBytes = message.length;
    }
    this.#finish();
    this.#respond();
    if (message.length <= largestCopy) {
      this.#stream.end(frame(message));
    } else {
      this.#write(message);
      this.#stream.end();
    }
  }

  end(status: RpcStatus): void {
    if (this.#ended || this.#lost) return;
    this.#finish();
    this.#trailers = trailersOf(status);
    if (this.#stream.headersSent) {
      this.#stream.end();
    } else {
      this.#stream.respond({ ...responseHeaders, ...this.#trailers }, headersOnly);
      this.#dismiss();
    }
  }

  #respond(): void {
    if (this.#stream.headersSent) return;
    this.#stream.respond(responseHeaders, withTrailers);
    this.#stream.on('wantTrailers', onWantTrailers);
  }

  trailersWanted(): void {
    if (this.#lost) return;
    this.#stream.sendTrailers(this.#trailers);
    this.#dismiss();
  }

  /**
   * An answer that is whole before its request: the rest of the request is not wanted (RFC 9113 §8.1). Not at once: the
   * end may be in this very turn's input, and closing now would drop the trailers.
   */
  #dismiss(): void {
    if (this.#requestEnded) return;
    setImmediate(() => {
      if (!this.#requestEnded && !this.#lost) this.#stream.close(constants.NGHTTP2_NO_ERROR);
    });
  }

  #write(message: Uint8Array): void {
    if (message.length <= largestCopy) {
      this.#stream.write(frame(message));
      return;
    }
    this.#stream.cork();
    this.#stream.write(prefix(message.length));
    this.#stream.write(message);
    this.#stream.uncork();
  }

  #finish(): void {
    this.#ended = true;
    this.#release();
    this.#waiting = [];
    this.#carrier.finished(this);
  }

  closed(): void {
    this.#gone = true;
    if (this.#responseBytes > 0) this.#carrier.releaseResponse(this.#responseBytes);
    if (this.#ended) return;
    this.#finish();
    this.#onCancel?.();
  }
}

function frame(message: Uint8Array): Uint8Array {
  const bytes = Buffer.allocUnsafe(prefixBytes + message.length);
  bytes[0] = 0;
  bytes.writeUInt32BE(message.length, 1);
  bytes.set(message, prefixBytes);
  return bytes;
}

function prefix(length: number): Uint8Array {
  const bytes = Buffer.alloc(prefixBytes);
  bytes.writeUInt32BE(length, 1);
  return bytes;
}

function metadataOf(headers: IncomingHttpHeaders): ReadonlyMap<string, string> {
  const metadata = new Map<string, string>();
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith(':') || value === undefined) continue;
    metadata.set(name, typeof value === 'string' ? value : value.join(', '));
  }
  return metadata;
}

function ignore(): void {}

// What a stream tells its call, by listeners that all streams share.

function onData(this: CallStream, chunk: Uint8Array): void {
  this[callOf]?.receive(chunk);
}

function onEnd(this: CallStream): void {
  this[callOf]?.receiveEnd();
}

function onWantTrailers(this: CallStream): void {
  this[callOf]?.trailersWanted();
}

function onClose(this: CallStream): void {
  const call = this[callOf];
  this[callOf] = null;
  call?.closed();
}
