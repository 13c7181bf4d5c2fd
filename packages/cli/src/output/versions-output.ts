/** Which version of the protocol a cluster uses, and what its servers speak: `/debug/raft` tells. */

interface Range {
  readonly min: number;
  readonly max: number;
}

/** What one server knows. */
export interface Versions {
  readonly name: string;
  readonly versionInUse: number;
  readonly versions: Range;
  /** Of the others, what they said when this server last connected to them; null if it never did. */
  readonly peers: readonly { readonly id: string; readonly name: string | null; readonly versions: Range | null }[];
}

/** Null where the page comes from a server that knows nothing of this. */
export function versionsOf(page: unknown): Versions | null {
  if (typeof page !== 'object' || page === null) return null;
  const { name, versionInUse, versions, peers } = page as Partial<Record<keyof Versions, unknown>>;
  if (typeof name !== 'string' || typeof versionInUse !== 'number' || !isRange(versions) || !Array.isArray(peers)) {
    return null;
  }
  return { name, versionInUse, versions, peers: peers.filter(isPeer).map(pick) };
}

function pick({ id, name, versions }: Versions['peers'][number]): Versions['peers'][number] {
  return { id, name, versions };
}

function isPeer(value: unknown): value is Versions['peers'][number] {
  if (typeof value !== 'object' || value === null || !('id' in value) || !('versions' in value)) return false;
  const isNamed = 'name' in value && (value.name === null || typeof value.name === 'string');
  return isNamed && typeof value.id === 'string' && (value.versions === null || isRange(value.versions));
}

function isRange(value: unknown): value is Range {
  if (typeof value !== 'object' || value === null || !('min' in value) || !('max' in value)) return false;
  return typeof value.min === 'number' && typeof value.max === 'number';
}

/** `s1: protocol 1 in use; it speaks 1 to 2, s2 1 to 2, s3 is not known`. */
export function showVersions({ name, versionInUse, versions, peers }: Versions): string {
  const said = (range: Range | null): string => (range === null ? 'is not known' : `${range.min} to ${range.max}`);
  const others = peers.map((peer) => `${peer.name ?? peer.id} ${said(peer.versions)}`);
  return `${name}: protocol version ${versionInUse} in use; it speaks ${[said(versions), ...others].join(', ')}`;
}
