/** As much of the peer protocol's framing (docs/peer-protocol.md) as a network needs that treats frames apart. */

/** Length and checksum before the payload, whose first byte is its kind. */
const HEADER_BYTES = 8;
const MESSAGE_KIND = 6;

/** Cuts a write into its frames. Whatever does not look like frames stays one part. */
export function splitFrames(bytes: Uint8Array): readonly Uint8Array[] {
  const parts: Uint8Array[] = [];
  let at = 0;
  while (at + HEADER_BYTES <= bytes.length) {
    const end = at + HEADER_BYTES + lengthAt(bytes, at);
    if (end > bytes.length) break;
    if (at === 0 && end === bytes.length) return [bytes];
    parts.push(bytes.subarray(at, end));
    at = end;
  }
  if (at < bytes.length) parts.push(bytes.subarray(at));
  return parts;
}

/** Four bytes, little-endian. */
function lengthAt(bytes: Uint8Array, at: number): number {
  const low = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
  return (low | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24)) >>> 0;
}

export function isMessageFrame(frame: Uint8Array): boolean {
  return frame.length > HEADER_BYTES && frame[HEADER_BYTES] === MESSAGE_KIND;
}
