/**
 * Keys live in memory as byte strings: JavaScript strings in which every code unit is one byte (0–255). V8 stores them one
 * byte a character, compares them with memcmp, and `<` on them is the order of the bytes, which is etcd's order of keys.
 */
export type ByteString = string;

/** Arguments that one call of String.fromCharCode may carry without straining the stack. */
const maxFromCharCode = 4096;

export function byteStringOf(bytes: Uint8Array): ByteString {
  if (bytes.length <= maxFromCharCode) return fromCharCodes(bytes);
  let text = '';
  for (let i = 0; i < bytes.length; i += maxFromCharCode) text += fromCharCodes(bytes.subarray(i, i + maxFromCharCode));
  return text;
}

function fromCharCodes(bytes: Uint8Array): string {
  // apply takes any array-like; the declaration knows only number[].
  return String.fromCharCode.apply(null, bytes as unknown as number[]);
}

/** Writes the bytes of `text` at `offset`; returns the offset behind them. */
export function writeByteString(text: ByteString, bytes: Uint8Array, offset: number): number {
  const length = text.length;
  for (let i = 0; i < length; i++) bytes[offset + i] = text.charCodeAt(i);
  return offset + length;
}

/** Negative, zero or positive, by the order of unsigned bytes; a prefix comes first. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const common = Math.min(a.length, b.length);
  for (let i = 0; i < common; i++) {
    const difference = (a[i] as number) - (b[i] as number);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
