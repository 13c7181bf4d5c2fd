import { ResponseHeader } from '../api/index.ts';
import { sizeDelimited, sizeInt64, writeDelimited, writeInt64 } from '../api/wire/writer.ts';

/** `ResponseHeader header = 1` in every response. */
const headerTag = 10;
const revisionTag = 24;
const termTag = 32;

/** Encodes the header of this server's responses; what never changes is encoded once. */
export class ResponseHeaders {
  readonly #fixed: Uint8Array;

  constructor(clusterId: bigint, memberId: bigint) {
    this.#fixed = ResponseHeader.encode(ResponseHeader.create({ clusterId, memberId }));
  }

  /** The header field, to stand before a response's body. */
  encode(revision: number, term: number): Uint8Array {
    return this.before(revision, term, new Uint8Array(0));
  }

  /** A whole response: header and body. */
  before(revision: number, term: number, body: Uint8Array): Uint8Array {
    const fixed = this.#fixed;
    const size = fixed.length + 1 + sizeInt64(revision) + (term === 0 ? 0 : 1 + sizeInt64(term));
    const bytes = new Uint8Array(1 + sizeDelimited(size) + body.length);
    let at = writeDelimited(bytes, 0, headerTag, size);
    bytes.set(fixed, at);
    at = writeInt64(bytes, at + fixed.length, revisionTag, revision);
    if (term !== 0) at = writeInt64(bytes, at, termTag, term);
    bytes.set(body, at);
    return bytes;
  }
}
