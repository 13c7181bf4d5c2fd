/**
 * The etcd v3 API as types and codec, for server and client alike. Pure; runs anywhere.
 *
 * The messages are generated from `proto/` by `scripts/generate-api.mjs`. Ids are bigints, exact; revisions, counts, terms and
 * the like are numbers, and what is beyond a safe integer saturates when it is decoded.
 */

export { StatusCode } from '../rpc.ts';
export * from './generated/index.ts';
export * from './outcome.ts';
export type { MessageType, MethodDescriptor } from './wire/message-type.ts';
export { ProtobufError } from './wire/protobuf-error.ts';
export { MAX_NESTING } from './wire/reader.ts';
