import type { RpcCall } from '../rpc.ts';

/**
 * etcd's request metadata by which a client says that it would rather ask another server than wait at one that knows no leader.
 * Reading metadata costs something: ask only when no leader is known.
 */
export function requiresLeader(call: Pick<RpcCall, 'metadata'>): boolean {
  return call.metadata.get('hasleader') === 'true';
}
