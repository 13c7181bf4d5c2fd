const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Up to this length, joining characters one by one beats a call into TextDecoder. */
const SHORT_STRING = 24;

/** Length of `text` in UTF-8; a lone surrogate counts as the replacement character, as TextEncoder writes it. */
export function utf8Length(text: string): number {
  let length = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    if (unit < 0x800) length += 1;
    else if (isPairAt(text, i, unit)) {
      length += 2;
      i++;
    } else length += 2;
  }
  return length;
}

function isPairAt(text: string, i: number, unit: number): boolean {
  if (unit < 0xd800 || unit > 0xdbff || i + 1 >= text.length) return false;
  const next = text.charCodeAt(i + 1);
  return next >= 0xdc00 && next <= 0xdfff;
}

/** Writes `text`, known to take `length` bytes. */
export function writeUtf8(text: string, length: number, bytes: Uint8Array, at: number): void {
  if (length === text.length) {
    for (let i = 0; i < length; i++) bytes[at + i] = text.charCodeAt(i);
  } else {
    encoder.encodeInto(text, bytes.subarray(at, at + length));
  }
}

/**
 * @throws TypeError when the bytes are not UTF-8.
 */
export function readUtf8(bytes: Uint8Array, from: number, to: number): string {
  if (to - from <= SHORT_STRING) {
    let text = '';
    let at = from;
    for (; at < to; at++) {
      const byte = bytes[at] as number;
      if (byte >= 0x80) break;
      text += String.fromCharCode(byte);
    }
    if (at === to) return text;
  }
  return decoder.decode(bytes.subarray(from, to));
}
