/** What an entry's payload weighs against every budget of bytes. */

/**
 * What holding an entry costs besides its payload, roughly. Counted with every one, so that very many empty entries find their
 * limit too. Bytes.
 */
export const entryOverheadBytes = 64;

export function weightOf(payload: Uint8Array): number {
  return payload.length + entryOverheadBytes;
}

export function totalWeight(payloads: readonly Uint8Array[]): number {
  let weight = 0;
  for (const payload of payloads) weight += weightOf(payload);
  return weight;
}
