/** Ids of members and cluster, derived as etcd derives them, so that tools which know etcd's show the same. */
import { createHash } from 'node:crypto';
import type { InitialMember } from './config/options.ts';

/** First 8 bytes (big-endian) of SHA-1 over the sorted peer addresses and the cluster's token. */
export function memberId(peerURLs: readonly string[], token: string): bigint {
  return firstBytes(Buffer.from(peerURLs.toSorted().join('') + token));
}

/** The id of a member that is added to a running cluster: two at the same addresses, one after the other, have two ids. Unix seconds. */
export function addedMemberId(peerURLs: readonly string[], seconds: number): bigint {
  return memberId(peerURLs, String(seconds));
}

/** First 8 bytes of SHA-1 over the sorted ids of the founding members, 8 bytes each. */
export function clusterId(members: readonly bigint[]): bigint {
  const sorted = members.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const bytes = Buffer.alloc(8 * sorted.length);
  sorted.forEach((id, index) => bytes.writeBigUInt64BE(id, 8 * index));
  return firstBytes(bytes);
}

function firstBytes(bytes: Buffer): bigint {
  return createHash('sha1').update(bytes).digest().readBigUInt64BE(0);
}

/** The form in which the rest of the house names a member or cluster: 16 hexadecimal digits. */
export function idText(id: bigint): string {
  return id.toString(16).padStart(16, '0');
}

export interface FoundingMember extends InitialMember {
  readonly id: bigint;
}

/** The founding members with their ids, ordered by id, and the cluster's id. */
export function foundingMembers(
  members: readonly InitialMember[],
  token: string,
): { readonly members: readonly FoundingMember[]; readonly cluster: bigint } {
  const founding = members
    .map((member) => ({ ...member, id: memberId(member.peerURLs, token) }))
    .toSorted((a, b) => (a.id < b.id ? -1 : 1));
  return { members: founding, cluster: clusterId(founding.map((member) => member.id)) };
}
