import type { FoundingMember } from './node-options.ts';

/**
 * Derives a cluster's id from its name and founding members: equal on all servers that were told the same, and different
 * with near certainty otherwise. It guards against mix-ups, not against malice: 64 bits of FNV-1a.
 */
export function deriveClusterId(clusterName: string, founders: readonly FoundingMember[]): string {
  const members = founders.map(({ id, address }) => `${id}=${address}`).sort();
  const bytes = new TextEncoder().encode([clusterName, ...members].join('\n'));
  let hash = 0xcbf29ce484222325n;
  for (const byte of bytes) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return hash.toString(16).padStart(16, '0');
}
