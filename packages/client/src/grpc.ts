import { type MethodDescriptor, StatusCode } from '@quorate/kv/api';

/** gRPC puts one byte, 0 for "not compressed", and the length in four before every message. */
export const FRAME_HEADER_BYTES = 5;

/**
 * The request as it goes into a DATA frame, encoded once for all attempts.
 *
 * @throws RangeError when a number does not fit its field.
 */
export function frameOf<Request>(method: MethodDescriptor<Request, unknown>, request: Request): Uint8Array {
  const size = method.request.size(request);
  const frame = Buffer.allocUnsafe(FRAME_HEADER_BYTES + size);
  frame[0] = 0;
  frame.writeUInt32BE(size, 1);
  method.request.write(request, frame, FRAME_HEADER_BYTES);
  return frame;
}

/** For the `grpc-timeout` header, which has at most eight digits. */
export function timeoutHeader(milliseconds: number): string {
  const whole = Math.max(1, Math.ceil(milliseconds));
  return whole < 1e8 ? `${whole}m` : `${Math.ceil(whole / 1000)}S`;
}

/** The status in a `grpc-status` header; undefined when it is none that gRPC knows. */
export function statusFrom(header: string): StatusCode | undefined {
  const number = /^\d{1,2}$/.test(header) ? Number(header) : -1;
  return number >= StatusCode.ok && number <= StatusCode.unauthenticated ? (number as StatusCode) : undefined;
}

/** gRPC writes bytes that a header cannot hold as %XX. What is not encoded properly is shown as it came. */
export function decodeMessage(header: string): string {
  if (!header.includes('%')) return header;
  const bytes: number[] = [];
  for (let i = 0; i < header.length; i++) {
    const escape = header[i] === '%' ? header.slice(i + 1, i + 3) : '';
    if (/^[0-9a-f]{2}$/i.test(escape)) {
      bytes.push(Number.parseInt(escape, 16));
      i += 2;
    } else bytes.push(header.charCodeAt(i) & 0xff);
  }
  return Buffer.from(bytes).toString('utf8');
}

/** What an HTTP status means when something between us and the server answered in its place. */
export function statusOfHttp(status: number): StatusCode {
  switch (status) {
    case 400:
      return StatusCode.internal;
    case 401:
      return StatusCode.unauthenticated;
    case 403:
      return StatusCode.permissionDenied;
    case 404:
      return StatusCode.unimplemented;
    case 429:
    case 502:
    case 503:
    case 504:
      return StatusCode.unavailable;
    default:
      return StatusCode.unknown;
  }
}
