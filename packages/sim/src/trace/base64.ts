/** Bytes as text, on every platform (RFC 4648, with padding). */
const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const values = new Map(Array.from(digits, (digit, value) => [digit.charCodeAt(0), value]));
/** A piece of text: joined rather than grown digit by digit. */
const pieceBytes = 3 * 1024;

export function encodeBase64(bytes: Uint8Array): string {
  const pieces: string[] = [];
  for (let start = 0; start < bytes.length; start += pieceBytes) {
    let piece = '';
    for (let at = start; at < Math.min(start + pieceBytes, bytes.length); at += 3) piece += encodeGroup(bytes, at);
    pieces.push(piece);
  }
  return pieces.join('');
}

function encodeGroup(bytes: Uint8Array, at: number): string {
  const left = bytes.length - at;
  const bits = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
  const digit = (shift: number): string => digits.charAt((bits >>> shift) & 63);
  return digit(18) + digit(12) + (left > 1 ? digit(6) : '=') + (left > 2 ? digit(0) : '=');
}

/** Null if it is not what `encodeBase64` writes. */
export function decodeBase64(text: string): Uint8Array | null {
  if (text.length % 4 !== 0) return null;
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const bytes = new Uint8Array((text.length / 4) * 3 - padding);
  let written = 0;
  for (let at = 0; at < text.length; at += 4) {
    let bits = 0;
    for (let position = at; position < at + 4; position++) {
      const isPadding = position >= text.length - padding;
      const value = isPadding ? 0 : values.get(text.charCodeAt(position));
      if (value === undefined) return null;
      bits = (bits << 6) | value;
    }
    for (const shift of [16, 8, 0]) if (written < bytes.length) bytes[written++] = bits >>> shift;
  }
  // Bits beyond the last byte would be lost: no two texts for the same bytes.
  return encodesBack(bytes, text) ? bytes : null;
}

function encodesBack(bytes: Uint8Array, text: string): boolean {
  const tail = bytes.length % 3;
  return tail === 0 || encodeGroup(bytes, bytes.length - tail) === text.slice(-4);
}
