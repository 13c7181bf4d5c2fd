/**
 * Length-prefixed messages out of a run of chunks (gRPC over HTTP/2): one flag byte, four length bytes, the message. Chunks
 * are cut anywhere. Memory held is at most about twice what has arrived, whatever the prefix announces.
 */
import { type RpcStatus, StatusCode } from '@quorate/kv';

export const prefixBytes = 5;
const smallestBuffer = 1024;
const nothing = new Uint8Array(0);

export class MessageAssembler {
  readonly #maxMessageBytes: number;
  #prefixFilled = 0;
  /** What the prefix announced; whole once `prefixFilled` is `prefixBytes`. */
  #flag = 0;
  #length = 0;
  /** The beginning of a message that came in more than one chunk. */
  #body: Uint8Array = nothing;
  #filled = 0;

  constructor(maxMessageBytes: number) {
    this.#maxMessageBytes = maxMessageBytes;
  }

  /** Bytes of memory that an unfinished message occupies. */
  get heldBytes(): number {
    return this.#body.length;
  }

  /** Whether a message has begun and not ended. */
  get partial(): boolean {
    return this.#prefixFilled > 0;
  }

  /** Takes a chunk, hands on what it completes, and returns what is wrong with it, or null. Of no use after a fault. */
  push(chunk: Uint8Array, onMessage: (message: Uint8Array) => void): RpcStatus | null {
    let at = 0;
    do {
      if (this.#prefixFilled < prefixBytes) {
        at = this.#takePrefix(chunk, at);
        if (this.#prefixFilled < prefixBytes) return null;
        const fault = this.#checkPrefix();
        if (fault !== null) return fault;
      }
      const taken = Math.min(chunk.length - at, this.#length - this.#filled);
      const part = chunk.subarray(at, at + taken);
      at += taken;
      // The common case: a message that lies in one chunk is handed on without a copy.
      if (taken === this.#length) this.#finish(part, onMessage);
      else this.#append(part, onMessage);
    } while (at < chunk.length);
    return null;
  }

  #takePrefix(chunk: Uint8Array, from: number): number {
    let at = from;
    while (this.#prefixFilled < prefixBytes && at < chunk.length) {
      const byte = chunk[at] ?? 0;
      if (this.#prefixFilled === 0) this.#flag = byte;
      else this.#length = this.#length * 256 + byte;
      this.#prefixFilled += 1;
      at += 1;
    }
    return at;
  }

  #checkPrefix(): RpcStatus | null {
    if (this.#flag === 1) {
      return {
        code: StatusCode.unimplemented,
        message: 'grpc: compressed messages are not supported here; send with grpc-encoding identity',
      };
    }
    if (this.#flag !== 0) {
      return { code: StatusCode.internal, message: `grpc: received message with unknown flag ${this.#flag}` };
    }
    if (this.#length <= this.#maxMessageBytes) return null;
    return {
      code: StatusCode.resourceExhausted,
      message: `grpc: received message larger than max (${this.#length} vs. ${this.#maxMessageBytes})`,
    };
  }

  #append(part: Uint8Array, onMessage: (message: Uint8Array) => void): void {
    const needed = this.#filled + part.length;
    if (needed > this.#body.length) {
      const size = Math.max(needed, Math.min(this.#length, Math.max(smallestBuffer, this.#body.length * 2)));
      const larger = new Uint8Array(size);
      larger.set(this.#body.subarray(0, this.#filled));
      this.#body = larger;
    }
    this.#body.set(part, this.#filled);
    this.#filled = needed;
    if (this.#filled === this.#length) this.#finish(this.#body.subarray(0, this.#length), onMessage);
  }

  #finish(message: Uint8Array, onMessage: (message: Uint8Array) => void): void {
    this.#prefixFilled = 0;
    this.#length = 0;
    this.#body = nothing;
    this.#filled = 0;
    onMessage(message);
  }
}
