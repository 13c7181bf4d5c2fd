/** How keys and values are written: as they are, or byte by byte in hexadecimal (`\x61\x62`). */
export type BytesStyle = 'text' | 'hex';

export function showBytes(bytes: Uint8Array, style: BytesStyle): string {
  if (style === 'hex') return Array.from(bytes, (byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
}

/** In quotes, with everything escaped that would break the line. */
export function quoteBytes(bytes: Uint8Array, style: BytesStyle): string {
  return style === 'hex' ? `"${showBytes(bytes, style)}"` : JSON.stringify(showBytes(bytes, style));
}
