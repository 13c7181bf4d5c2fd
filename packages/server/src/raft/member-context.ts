/** What the consensus configuration keeps with a member: where its peers reach it, and its name. */
import type { Member } from '@quorate/raft';
import { socketAddress } from '../config/urls.ts';

export interface MemberContext {
  readonly name: string;
  readonly peerURLs: readonly string[];
}

export function contextOf({ name, peerURLs }: MemberContext): string {
  return JSON.stringify({ name, peerURLs } satisfies MemberContext);
}

/** Reads a context back; one that is not ours says nothing. */
export function readContext(context: string): MemberContext {
  let value: unknown;
  try {
    value = JSON.parse(context);
  } catch {
    value = null;
  }
  if (typeof value !== 'object' || value === null) return { name: '', peerURLs: [] };
  const name = 'name' in value && typeof value.name === 'string' ? value.name : '';
  const listed: unknown = 'peerURLs' in value ? value.peerURLs : [];
  const urls = Array.isArray(listed) ? listed.filter((url): url is string => typeof url === 'string') : [];
  return { name, peerURLs: urls };
}

/** Where a member is reached; null if its context does not say. */
export function peerAddress(member: Member): string | null {
  const [url] = readContext(member.context).peerURLs;
  return url === undefined ? null : socketAddress(url);
}
