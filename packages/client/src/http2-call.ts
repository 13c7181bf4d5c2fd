import { type ClientHttp2Stream, constants, type IncomingHttpHeaders } from 'node:http2';
import { CallOutcome, OUTCOME_TRAILER, StatusCode } from '@quorate/kv/api';
import { decodeMessage, FRAME_HEADER_BYTES, statusFrom, statusOfHttp } from './grpc.ts';
import { type CallHandle, type Failure, type Reply } from './transport.ts';

type Headers = IncomingHttpHeaders & { readonly ':status'?: number | undefined };

/** One unary call on one HTTP/2 stream. */
export class Http2Call implements CallHandle {
  private readonly stream: ClientHttp2Stream;
  private readonly maxResponseBytes: number;
  private readonly done: (reply: Reply) => void;
  /** Whether the server has said that it did not process this stream; known to the session. */
  private readonly wasRefused: (stream: ClientHttp2Stream) => boolean;
  private answered = false;
  /** Views into large read buffers; copied out in the end, lest whoever keeps a value keep those as well. */
  private readonly chunks: Buffer[] = [];
  private received = 0;
  /** The headers that carry grpc-status: the trailers, or the only headers there are. */
  private final: Headers | undefined;
  private httpStatus = 0;
  private error: Error | undefined;

  constructor(
    stream: ClientHttp2Stream,
    maxResponseBytes: number,
    wasRefused: (stream: ClientHttp2Stream) => boolean,
    done: (reply: Reply) => void,
  ) {
    this.stream = stream;
    this.maxResponseBytes = maxResponseBytes;
    this.wasRefused = wasRefused;
    this.done = done;
    stream.on('response', (headers) => this.onResponse(headers));
    stream.on('data', (chunk: Buffer) => this.onData(chunk));
    stream.on('trailers', (trailers: Headers) => {
      this.final = trailers;
    });
    stream.on('end', () => this.onEnd());
    stream.on('error', (error: Error) => {
      this.error = error;
    });
    stream.on('close', () => this.onClose());
  }

  cancel(): void {
    this.stream.close(constants.NGHTTP2_CANCEL);
  }

  private onResponse(headers: Headers): void {
    this.httpStatus = headers[':status'] ?? 0;
    if (headers['grpc-status'] !== undefined) this.final = headers;
  }

  private onData(chunk: Buffer): void {
    this.received += chunk.length;
    if (this.received > this.maxResponseBytes + FRAME_HEADER_BYTES) {
      this.answer({
        kind: 'tooLarge',
        details: `the answer is larger than maxResponseBytes, ${this.maxResponseBytes}; ask for less or raise it`,
      });
      this.cancel();
      return;
    }
    this.chunks.push(chunk);
  }

  /** The server has said all that it will say. Trailers, when there are any, have come before. */
  private onEnd(): void {
    if (this.final !== undefined) this.answer(this.conclude(this.final));
  }

  private onClose(): void {
    if (this.answered) return;
    if (this.final !== undefined) this.answer(this.conclude(this.final));
    else if (this.httpStatus !== 0 && this.httpStatus !== 200) this.answer(notGrpc(this.httpStatus));
    else this.answer(this.interrupted());
  }

  private conclude(final: Headers): Reply {
    const status = statusFrom(String(final['grpc-status']));
    if (status === undefined) {
      return { kind: 'malformed', details: `grpc-status '${String(final['grpc-status'])}', which gRPC does not have` };
    }
    if (status !== StatusCode.ok) {
      const outcome = final[OUTCOME_TRAILER];
      return {
        kind: 'status',
        status,
        details: decodeMessage(String(final['grpc-message'] ?? '')),
        outcome: outcome === CallOutcome.refused || outcome === CallOutcome.unknown ? outcome : undefined,
      };
    }
    return this.message();
  }

  /** The one message of the answer. */
  private message(): Reply {
    const frame = Buffer.concat(this.chunks);
    if (frame.length < FRAME_HEADER_BYTES) {
      return { kind: 'malformed', details: `an answer of ${frame.length} bytes, which holds no message` };
    }
    if (frame[0] !== 0) return { kind: 'malformed', details: 'a compressed answer, which was not asked for' };
    const length = frame.readUInt32BE(1);
    const message = frame.subarray(FRAME_HEADER_BYTES);
    if (length !== message.length) {
      return { kind: 'malformed', details: `an answer of ${message.length} bytes that announces ${length}` };
    }
    return { kind: 'message', message };
  }

  /** The stream ended before the answer did. */
  private interrupted(): Failure {
    const { stream, error } = this;
    const code = stream.rstCode ?? constants.NGHTTP2_NO_ERROR;
    const cause = error === undefined ? {} : { cause: error };
    const neverBegun = stream.id === undefined;
    if (neverBegun || code === constants.NGHTTP2_REFUSED_STREAM || this.wasRefused(stream)) {
      return { kind: 'notSent', details: 'the server took no more calls on this connection', ...cause };
    }
    const reason =
      error?.message ?? (code === constants.NGHTTP2_NO_ERROR ? 'closed' : `reset with HTTP/2 error ${code}`);
    return { kind: 'lost', details: `the answer was cut off: ${reason}`, ...cause };
  }

  private answer(reply: Reply): void {
    if (this.answered) return;
    this.answered = true;
    this.chunks.length = 0;
    this.done(reply);
  }
}

function notGrpc(httpStatus: number): Failure {
  return {
    kind: 'status',
    status: statusOfHttp(httpStatus),
    details: `HTTP status ${httpStatus} instead of a gRPC answer; is this the client port of a server?`,
    outcome: undefined,
  };
}
