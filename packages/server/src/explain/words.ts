/** What explanations say of servers, and how they name them. */
import { isJoint, memberOf } from '@quorate/raft';
import type { RaftNodeStatus } from '@quorate/runtime';
import { readContext } from '../raft/member-context.ts';
import type { ExplainSources } from './finding.ts';

export function halvesOf({ configuration }: RaftNodeStatus): readonly (readonly string[])[] {
  return isJoint(configuration) ? [configuration.voters, configuration.outgoing] : [configuration.voters];
}

export function isConnected({ peers }: RaftNodeStatus, id: string): boolean {
  return peers.some((peer) => peer.id === id && peer.connected);
}

export function isSilent({ status, now, silence }: ExplainSources, id: string): boolean {
  const contact = status.followers.find((each) => each.id === id)?.lastContact ?? null;
  return contact === null || now - contact >= silence;
}

export function heldBy(status: RaftNodeStatus, id: string): number {
  if (id === status.id) return status.durableIndex;
  return status.followers.find((each) => each.id === id)?.matchIndex ?? 0;
}

export function nameOf({ configuration }: RaftNodeStatus, id: string): string {
  const context = memberOf(configuration, id)?.context;
  const name = context === undefined ? '' : readContext(context).name;
  return name === '' ? id : name;
}

export function nameWithProblem(status: RaftNodeStatus, id: string): string {
  const peer = status.peers.find((each) => each.id === id);
  if (peer === undefined) return nameOf(status, id);
  return `${nameOf(status, id)} at ${peer.address} (${peer.lastProblem ?? 'no answer yet'})`;
}
