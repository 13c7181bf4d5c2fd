/** 32-bit hashes by integer arithmetic alone, so that every engine agrees. FNV-1a; nothing here is meant to resist an adversary. */

export const emptyHash = 0x811c9dc5;

export function hashBytes(hash: number, bytes: Uint8Array): number {
  let mixed = hash;
  for (let at = 0; at < bytes.length; at++) mixed = Math.imul(mixed ^ (bytes[at] ?? 0), 0x01000193);
  return mixed >>> 0;
}

/** A safe integer, whole. */
export function hashNumber(hash: number, value: number): number {
  const low = Math.imul(hash ^ (value >>> 0), 0x01000193);
  const high = Math.imul(low ^ Math.floor(value / 4294967296), 0x01000193);
  return (high ^ (high >>> 15)) >>> 0;
}

export function hashText(hash: number, text: string): number {
  let mixed = hash;
  for (let at = 0; at < text.length; at++) mixed = Math.imul(mixed ^ text.charCodeAt(at), 0x01000193);
  return mixed >>> 0;
}
