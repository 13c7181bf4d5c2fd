import { connect, type Socket } from 'node:net';
import { HpackDecoder, indexedLiteral, type ResponseHeaders } from './hpack.ts';

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
const FRAME_HEADER = 9;
const GRPC_PREFIX = 5;
const MAX_FRAME = 1 << 24;
/** What the server may send before it hears from us: large, so that windows never hold an answer back. */
const RECEIVE_WINDOW = 1 << 30;
const REPLENISH_AT = 1 << 24;
const OUT_CHUNK = 64 * 1024;

const Frame = {
  data: 0,
  headers: 1,
  resetStream: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;
const END_STREAM = 1;
const END_HEADERS = 4;
const ACK = 1;
const SETTING_INITIAL_WINDOW = 4;

/** How a call ended. `message` is null unless bodies are kept. */
export interface RawAnswer {
  readonly grpcStatus: string;
  readonly grpcMessage: string;
  readonly body: Uint8Array | null;
}

interface OpenCall {
  readonly done: (answer: RawAnswer) => void;
  body: Uint8Array | null;
}

/**
 * A gRPC client that costs next to nothing: frames are written and read by hand, one method a connection, all requests of
 * one turn in one write. It is a measuring tool: it trusts the server, keeps no deadlines, and any surprise ends it.
 */
export class RawGrpcConnection {
  readonly #socket: Socket;
  readonly #hpack = new HpackDecoder();
  readonly #keepBodies: boolean;
  readonly #firstHeaders: Uint8Array;
  readonly #warmHeaders: Uint8Array;
  readonly #calls = new Map<number, OpenCall>();
  /** Requests that wait for the connection's send window. */
  readonly #waiting: { readonly message: Uint8Array; readonly call: OpenCall }[] = [];
  readonly #onFailure: (error: Error) => void;
  #nextStream = 1;
  #sendWindow = 65_535;
  #streamWindow = 65_535;
  #received = 0;
  #rest: Uint8Array = new Uint8Array(0);
  #block: Uint8Array | null = null;
  #blockEndsStream = false;
  #out = Buffer.allocUnsafe(OUT_CHUNK);
  #outLength = 0;
  #flushPlanned = false;
  #closing = false;

  constructor(
    host: string,
    port: number,
    path: string,
    options: { readonly keepBodies: boolean; readonly onFailure: (error: Error) => void },
  ) {
    this.#keepBodies = options.keepBodies;
    this.#onFailure = options.onFailure;
    this.#firstHeaders = firstHeaderBlock(`${host}:${port}`, path);
    this.#warmHeaders = warmHeaderBlock();
    this.#socket = connect({ host, port, noDelay: true });
    this.#socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    this.#socket.on('error', (error) => this.#fail(error));
    this.#socket.on('close', () => this.#fail(new Error(`${host}:${port} closed the connection.`)));
    this.#writeBytes(Buffer.from(PREFACE, 'latin1'));
    this.#writeBytes(settingsFrame());
    this.#writeBytes(windowUpdate(0, RECEIVE_WINDOW - 65_535));
  }

  /** Sends one message; calls back once, when the stream has ended. The message may be reused after the call. */
  call(message: Uint8Array, done: (answer: RawAnswer) => void): void {
    const call: OpenCall = { done, body: null };
    const size = GRPC_PREFIX + message.length;
    if (size > this.#streamWindow) throw new Error(`A message of ${message.length} bytes exceeds the stream's window.`);
    if (size > this.#sendWindow || this.#waiting.length > 0) {
      this.#waiting.push({ message: message.slice(), call });
      return;
    }
    this.#send(message, call);
  }

  close(): void {
    this.#closing = true;
    this.#socket.destroy();
  }

  #send(message: Uint8Array, call: OpenCall): void {
    const stream = this.#nextStream;
    this.#nextStream += 2;
    this.#calls.set(stream, call);
    const headers = stream === 1 ? this.#firstHeaders : this.#warmHeaders;
    const dataLength = GRPC_PREFIX + message.length;
    this.#sendWindow -= dataLength;
    let at = this.#reserve(FRAME_HEADER * 2 + headers.length + dataLength);
    at = writeFrameHeader(this.#out, at, headers.length, Frame.headers, END_HEADERS, stream);
    this.#out.set(headers, at);
    at = writeFrameHeader(this.#out, at + headers.length, dataLength, Frame.data, END_STREAM, stream);
    this.#out[at] = 0;
    this.#out.writeUInt32BE(message.length, at + 1);
    this.#out.set(message, at + GRPC_PREFIX);
  }

  #writeBytes(bytes: Uint8Array): void {
    this.#out.set(bytes, this.#reserve(bytes.length));
  }

  /** Room in the outgoing buffer, which leaves at the end of this turn. */
  #reserve(length: number): number {
    if (this.#outLength + length > this.#out.length) {
      this.#flush();
      if (length > this.#out.length) this.#out = Buffer.allocUnsafe(length);
    }
    const at = this.#outLength;
    this.#outLength += length;
    if (!this.#flushPlanned) {
      this.#flushPlanned = true;
      process.nextTick(() => {
        this.#flushPlanned = false;
        this.#flush();
      });
    }
    return at;
  }

  #flush(): void {
    if (this.#outLength === 0) return;
    this.#socket.write(this.#out.subarray(0, this.#outLength));
    this.#out = Buffer.allocUnsafe(OUT_CHUNK);
    this.#outLength = 0;
  }

  #receive(chunk: Uint8Array): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    while (bytes.length - at >= FRAME_HEADER) {
      const length = uint24(bytes, at);
      if (length > MAX_FRAME) return this.#fail(new Error(`The server sent a frame of ${length} bytes.`));
      const end = at + FRAME_HEADER + length;
      if (end > bytes.length) break;
      this.#frame(
        bytes[at + 3] ?? 0,
        bytes[at + 4] ?? 0,
        uint31(bytes, at + 5),
        bytes.subarray(at + FRAME_HEADER, end),
      );
      at = end;
    }
    this.#rest = at === bytes.length ? bytes.subarray(0, 0) : bytes.slice(at);
  }

  #frame(type: number, flags: number, stream: number, payload: Uint8Array): void {
    if (type === Frame.data) return this.#data(flags, stream, payload);
    if (type === Frame.headers) return this.#headers(flags, stream, payload);
    if (type === Frame.continuation) return this.#continuation(flags, stream, payload);
    if (type === Frame.windowUpdate) return this.#windowUpdate(stream, uint31(payload, 0));
    if (type === Frame.settings) return this.#settings(flags, payload);
    if (type === Frame.ping && (flags & ACK) === 0) return this.#pong(payload);
    if (type === Frame.resetStream)
      return this.#end(stream, { grpcStatus: `RST_STREAM ${uint31(payload, 0)}`, grpcMessage: '', body: null });
    if (type === Frame.goAway) this.#fail(new Error(`The server sent GOAWAY (${uint31(payload, 4)}).`));
  }

  #data(flags: number, stream: number, payload: Uint8Array): void {
    this.#received += payload.length;
    if (this.#received >= REPLENISH_AT) {
      this.#writeBytes(windowUpdate(0, this.#received));
      this.#received = 0;
    }
    const call = this.#calls.get(stream);
    if (this.#keepBodies && call !== undefined) {
      call.body = call.body === null ? payload.slice() : Buffer.concat([call.body, payload]);
    }
    if ((flags & END_STREAM) !== 0) this.#end(stream, { grpcStatus: 'missing', grpcMessage: '', body: null });
  }

  #headers(flags: number, stream: number, payload: Uint8Array): void {
    // Padding and priority are never sent by a gRPC server; their flags would change the layout.
    if ((flags & 0x28) !== 0) return this.#fail(new Error('The server sent padded or prioritised headers.'));
    this.#block = payload;
    this.#blockEndsStream = (flags & END_STREAM) !== 0;
    if ((flags & END_HEADERS) !== 0) this.#blockComplete(stream);
  }

  #continuation(flags: number, stream: number, payload: Uint8Array): void {
    this.#block = Buffer.concat([this.#block ?? new Uint8Array(0), payload]);
    if ((flags & END_HEADERS) !== 0) this.#blockComplete(stream);
  }

  #blockComplete(stream: number): void {
    const headers = this.#hpack.decode(this.#block ?? new Uint8Array(0));
    this.#block = null;
    if (this.#blockEndsStream) this.#end(stream, answerOf(headers, this.#calls.get(stream)?.body ?? null));
  }

  #end(stream: number, answer: RawAnswer): void {
    const call = this.#calls.get(stream);
    if (call === undefined) return;
    this.#calls.delete(stream);
    call.done(answer);
  }

  #windowUpdate(stream: number, increment: number): void {
    if (stream !== 0) return;
    this.#sendWindow += increment;
    this.#sendWaiting();
  }

  #sendWaiting(): void {
    let sent = 0;
    for (const { message, call } of this.#waiting) {
      if (GRPC_PREFIX + message.length > this.#sendWindow) break;
      this.#send(message, call);
      sent++;
    }
    this.#waiting.splice(0, sent);
  }

  #settings(flags: number, payload: Uint8Array): void {
    if ((flags & ACK) !== 0) return;
    for (let at = 0; at + 6 <= payload.length; at += 6) {
      if (((payload[at] ?? 0) << 8) + (payload[at + 1] ?? 0) === SETTING_INITIAL_WINDOW) {
        this.#streamWindow = uint31(payload, at + 2);
      }
    }
    const ack = Buffer.alloc(FRAME_HEADER);
    writeFrameHeader(ack, 0, 0, Frame.settings, ACK, 0);
    this.#writeBytes(ack);
  }

  #pong(payload: Uint8Array): void {
    const frame = Buffer.alloc(FRAME_HEADER + payload.length);
    frame.set(payload, writeFrameHeader(frame, 0, payload.length, Frame.ping, ACK, 0));
    this.#writeBytes(frame);
  }

  #fail(error: Error): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#socket.destroy();
    this.#onFailure(error);
  }
}

function answerOf(headers: ResponseHeaders, framed: Uint8Array | null): RawAnswer {
  return {
    grpcStatus: headers.grpcStatus ?? `HTTP ${headers.status ?? 'without status'}`,
    grpcMessage: headers.grpcMessage ?? '',
    body: framed === null ? null : framed.subarray(GRPC_PREFIX),
  };
}

/** The first request teaches the server's table; `warmHeaderBlock` then names the entries. */
function firstHeaderBlock(authority: string, path: string): Uint8Array {
  return Buffer.concat([
    Uint8Array.from([0x83, 0x86]),
    indexedLiteral(':path', path),
    indexedLiteral(':authority', authority),
    indexedLiteral('content-type', 'application/grpc'),
    indexedLiteral('te', 'trailers'),
  ]);
}

/** `:method POST` and `:scheme http` of the static table, then the four entries above, oldest first. */
function warmHeaderBlock(): Uint8Array {
  return Uint8Array.from([0x83, 0x86, 0x80 | 65, 0x80 | 64, 0x80 | 63, 0x80 | 62]);
}

function settingsFrame(): Uint8Array {
  const frame = Buffer.alloc(FRAME_HEADER + 6);
  const at = writeFrameHeader(frame, 0, 6, Frame.settings, 0, 0);
  frame.writeUInt16BE(SETTING_INITIAL_WINDOW, at);
  frame.writeUInt32BE(RECEIVE_WINDOW, at + 2);
  return frame;
}

function windowUpdate(stream: number, increment: number): Uint8Array {
  const frame = Buffer.alloc(FRAME_HEADER + 4);
  frame.writeUInt32BE(increment, writeFrameHeader(frame, 0, 4, Frame.windowUpdate, 0, stream));
  return frame;
}

function writeFrameHeader(
  out: Buffer,
  at: number,
  length: number,
  type: number,
  flags: number,
  stream: number,
): number {
  out.writeUIntBE(length, at, 3);
  out[at + 3] = type;
  out[at + 4] = flags;
  out.writeUInt32BE(stream, at + 5);
  return at + FRAME_HEADER;
}

function uint24(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
}

function uint31(bytes: Uint8Array, at: number): number {
  return (((bytes[at] ?? 0) & 0x7f) << 24) | uint24(bytes, at + 1);
}
