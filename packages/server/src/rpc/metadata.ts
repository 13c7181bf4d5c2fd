/** gRPC's words in HTTP/2 headers and trailers. Facts: the gRPC over HTTP/2 protocol description. */
import { type RpcStatus, StatusCode } from '@quorate/kv';
import { OUTCOME_TRAILER } from '@quorate/kv/api';

/** Microseconds in each unit of `grpc-timeout`. */
const unitMicros: Readonly<Record<string, number>> = {
  H: 3_600_000_000,
  M: 60_000_000,
  S: 1_000_000,
  m: 1_000,
  u: 1,
  n: 0.001,
};

const timeoutPattern = /^([0-9]{1,8})([HMSmun])$/;

/** The time (µs) that a `grpc-timeout` allows, Infinity if there is none, or null if it is malformed. */
export function parseTimeout(value: string | undefined): number | null {
  if (value === undefined) return Number.POSITIVE_INFINITY;
  const match = timeoutPattern.exec(value);
  if (match === null) return null;
  const unit = unitMicros[match[2] ?? ''] ?? 0;
  return Math.ceil(Number(match[1]) * unit);
}

/** Whether a content type is gRPC's with protobuf messages. */
export function isGrpc(contentType: string | undefined): boolean {
  return (
    contentType === 'application/grpc' ||
    contentType === 'application/grpc+proto' ||
    (contentType?.startsWith('application/grpc;') ?? false)
  );
}

// What may stand in grpc-message as it is: printable ASCII without '%'.
const plainMessage = /^[ -$&-~]*$/;
const longestMessage = 4096;

/** Percent-encodes a status message as UTF-8. Overlong ones are cut: they go into headers. */
export function encodeMessage(message: string): string {
  const cut = message.length > longestMessage ? `${message.slice(0, longestMessage)}…` : message;
  if (plainMessage.test(cut)) return cut;
  let encoded = '';
  for (const byte of new TextEncoder().encode(cut)) {
    encoded +=
      byte >= 0x20 && byte <= 0x7e && byte !== 0x25
        ? String.fromCharCode(byte)
        : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return encoded;
}

/** Trailers of a call that succeeded. Shared: nobody may change it. */
export const okTrailers: Readonly<Record<string, string>> = { 'grpc-status': '0' };

export function trailersOf(status: RpcStatus): Readonly<Record<string, string>> {
  if (status.code === StatusCode.ok) return okTrailers;
  const trailers: Record<string, string> = {
    'grpc-status': String(status.code),
    'grpc-message': encodeMessage(status.message),
  };
  if (status.outcome !== undefined) trailers[OUTCOME_TRAILER] = status.outcome;
  return trailers;
}
