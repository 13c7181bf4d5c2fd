import type { Reader } from './reader.ts';

/** What every generated message offers under its name. */
export interface MessageType<T> {
  /** Full protobuf name, e.g. `etcdserverpb.PutRequest`. */
  readonly typeName: string;
  /** A message with every field at its zero, save what `init` names. Arrays and bytes are taken, not copied. */
  create(init?: Partial<T>): T;
  /** Exact length of the encoding in bytes. */
  size(message: T): number;
  /**
   * Writes the encoding, `size(message)` bytes, into `bytes` from `at` on; returns where it ends.
   *
   * @throws RangeError when a number does not fit its field, or when `bytes` is too short; `bytes` then holds rubbish.
   */
  write(message: T, bytes: Uint8Array, at: number): number;
  /**
   * The encoding as new bytes. Small ones lie beside each other in a larger buffer: do not transfer `.buffer`.
   *
   * @throws RangeError when a number does not fit its field.
   */
  encode(message: T): Uint8Array;
  /**
   * Decodes all of `bytes`. Fields of type bytes are views into `bytes`, not copies: whoever keeps the message keeps the
   * memory, and whoever writes into that memory changes the message.
   *
   * @throws ProtobufError when the bytes are malformed.
   */
  decode(bytes: Uint8Array): T;
  /** Reads fields up to the reader's end into `message`: later scalars win, messages merge, lists grow. */
  merge(message: T, reader: Reader): T;
}

/** One method of a service: the one home of its path and types, for server and client alike. */
export interface MethodDescriptor<Request, Response> {
  /** As gRPC sends it, e.g. `/etcdserverpb.KV/Put`. */
  readonly path: string;
  readonly request: MessageType<Request>;
  readonly response: MessageType<Response>;
  /** Whether the client may send more than one message. */
  readonly clientStreaming: boolean;
  /** Whether more than one message may be answered. */
  readonly serverStreaming: boolean;
}

/** Shared by every message whose bytes field is unset. */
export const EMPTY_BYTES = new Uint8Array(0);

/** Shared by every message whose oneof is unset. */
export const UNSET: { readonly case: undefined; readonly value?: undefined } = Object.freeze({
  case: undefined,
  value: undefined,
});
