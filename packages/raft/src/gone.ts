/**
 * A leader that is gone. Its connection broke, and where it listened nobody listens now: its process is dead, and to wait for an
 * election timeout would only make clients wait. Who notices stops protecting it and asks for PreVotes after a short, random while.
 * It is a guess all the same, and costs nothing if it is wrong: voters that still hear the leader refuse. Never while leases are in use.
 */
import { hastyAttempts } from './election-timeout.ts';
import { becomeFollower } from './role.ts';
import type { Core } from './state.ts';
import type { MemberId } from './types.ts';

export function onPeerGone(core: Core, peer: MemberId): void {
  const { state, options } = core;
  // The lease of a leader is not ended by a broken connection.
  if (options.leaseReads || state.role !== 'follower' || state.leader !== peer) return;
  state.hurriedAttempts = hastyAttempts;
  becomeFollower(core, state.term, null, `${peer} led, and nobody listens there any more`);
}
