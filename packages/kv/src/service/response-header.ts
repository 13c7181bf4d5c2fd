import { ResponseHeader } from '../api/index.ts';
import { allocate } from '../api/wire/slab.ts';
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

  /** A whole response: header and body. */
  before(revision: number, term: number, body: Uint8Array): Uint8Array {
    const bytes = allocate(this.size(revision, term) + body.length);
    const at = this.write(bytes, revision, term);
    if (body.length > 0) bytes.set(body, at);
    return bytes;
  }

  /** Bytes of the header field. */
  size(revision: number, term: number): number {
    return 1 + sizeDelimited(this.#innerSize(revision, term));
  }

  /** Writes the header field at the beginning of `bytes`; returns where it ends. */
  write(bytes: Uint8Array, revision: number, term: number): number {
    let at = writeDelimited(bytes, 0, headerTag, this.#innerSize(revision, term));
    bytes.set(this.#fixed, at);
    at = writeInt64(bytes, at + this.#fixed.length, revisionTag, revision);
    return term === 0 ? at : writeInt64(bytes, at, termTag, term);
  }

  #innerSize(revision: number, term: number): number {
    return this.#fixed.length + 1 + sizeInt64(revision) + (term === 0 ? 0 : 1 + sizeInt64(term));
  }
}
