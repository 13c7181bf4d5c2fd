/**
 * Memory for small encoded messages. A typed array of its own costs several times the encoding of a small message, a view
 * into a shared slab does not. A slab is never written twice; it goes when the last message in it goes.
 */

const SLAB_BYTES = 8192;
/** Longer messages get memory of their own, so that little of a slab is lost at its end. */
const MAX_SHARED_BYTES = 1024;

let slab = new ArrayBuffer(SLAB_BYTES);
let used = 0;

/** Zeroed memory of exactly `length` bytes that nobody else has. */
export function allocate(length: number): Uint8Array {
  if (length > MAX_SHARED_BYTES) return new Uint8Array(length);
  if (length > SLAB_BYTES - used) {
    slab = new ArrayBuffer(SLAB_BYTES);
    used = 0;
  }
  const view = new Uint8Array(slab, used, length);
  used += length;
  return view;
}
