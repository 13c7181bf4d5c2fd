/** As much of the peer protocol's framing (docs/peer-protocol.md) as a network needs that treats frames apart. */

/** Length and checksum before the payload, whose first byte is its kind. */
const HEADER_BYTES = 8;
const MESSAGE_KIND = 6;

/** Cuts a write into its frames. Whatever does not look like frames stays one part. */
export function splitFrames(bytes: Uint8Array): readonly Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parts: Uint8Array[] = [];
  let at = 0;
  while (at + HEADER_BYTES <= bytes.length) {
    const end = at + HEADER_BYTES + view.getUint32(at, true);
    if (end > bytes.length) break;
    parts.push(bytes.subarray(at, end));
    at = end;
  }
  if (at < bytes.length) parts.push(bytes.subarray(at));
  return parts;
}

export function isMessageFrame(frame: Uint8Array): boolean {
  return frame.length > HEADER_BYTES && frame[HEADER_BYTES] === MESSAGE_KIND;
}
