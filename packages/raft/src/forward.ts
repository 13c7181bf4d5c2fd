/**
 * What a server that does not lead carries to the one that does: proposals and changes, once and never again; and reads, as often as it
 * takes, many in one request.
 */
import type { MemberChange } from './change.ts';
import type { ChangeMembersReply, ProposeReply, ReadIndexReply } from './message.ts';
import type { Output } from './output.ts';
import { envelope, send } from './send.ts';
import type { Core } from './state.ts';
import { totalWeight } from './weight.ts';

/** Carries commands to the leader. The answer says where they were appended; without one, nobody here can know. */
export function forwardProposals(core: Core, id: number, commands: readonly Uint8Array[]): void {
  const { leader, forwarded } = core.state;
  if (leader === null) return;
  const bytes = totalWeight(commands);
  forwarded.proposals.push({ id, count: commands.length, bytes, leader });
  forwarded.proposalBytes += bytes;
  send(core, { kind: 'propose', ...envelope(core, leader), id, commands });
}

export function onProposeReply(core: Core, message: ProposeReply): void {
  const { forwarded } = core.state;
  const at = forwarded.proposals.findIndex((it) => it.id === message.id && it.leader === message.from);
  const proposal = forwarded.proposals[at];
  // Answered before, or given up when the leader was lost.
  if (proposal === undefined) return;
  if (proposal.count !== message.count) {
    core.out.events.push({ kind: 'violation', peer: message.from, reason: 'answers another number of proposals' });
    return;
  }
  forwarded.proposals.splice(at, 1);
  forwarded.proposalBytes -= proposal.bytes;
  const { id, count, index, term, refused } = message;
  core.out.proposals.push({ id, count, index, term, refused, unknown: false });
}

/** Carries a change of membership to the leader. */
export function forwardChange(core: Core, id: number, version: number, changes: readonly MemberChange[]): void {
  const { leader, forwarded } = core.state;
  if (leader === null) return;
  forwarded.changes.push({ id, leader });
  send(core, { kind: 'changeMembers', ...envelope(core, leader), id, version, changes });
}

export function onChangeMembersReply(core: Core, message: ChangeMembersReply): void {
  const { forwarded } = core.state;
  const { from, id, index, term, refused } = message;
  const at = forwarded.changes.findIndex((it) => it.id === id && it.leader === from);
  if (at === -1) return;
  forwarded.changes.splice(at, 1);
  core.out.changes.push({ id, index, term, refused, unknown: false });
}

/** This server's own client wants to read, and another server leads. */
export function forwardRead(core: Core, id: number): void {
  core.state.forwarded.readsWaiting.push(id);
}

/** Sends one request for all reads that wait, if none is in flight. Called for every output. */
export function flushReads(core: Core): void {
  const { leader, forwarded } = core.state;
  if (leader === null || forwarded.readRequest !== null || forwarded.readsWaiting.length === 0) return;
  forwarded.readsSent = forwarded.readsWaiting;
  forwarded.readsWaiting = [];
  sendReadRequest(core);
}

function sendReadRequest(core: Core): void {
  const { leader, forwarded } = core.state;
  const id = forwarded.readsSent[0];
  if (leader === null || id === undefined) return;
  // The driver's ids never repeat, not even in a later run, so no late answer to an earlier request can pass for one to this.
  // A repetition bears the same number: every read in it had arrived before the first copy left.
  forwarded.readRequest = id;
  forwarded.heartbeatsSinceRead = 0;
  send(core, { kind: 'readIndex', ...envelope(core, leader), id });
}

/** A heartbeat came: the second one after a request means that the request or its answer was lost. Ask again. */
export function onHeartbeatHeard(core: Core): void {
  const { forwarded } = core.state;
  if (forwarded.readRequest === null) return;
  forwarded.heartbeatsSinceRead += 1;
  if (forwarded.heartbeatsSinceRead >= 2) sendReadRequest(core);
}

export function onReadIndexReply(core: Core, message: ReadIndexReply): void {
  const { forwarded } = core.state;
  const { id: asked, from, index, refused } = message;
  if (asked !== forwarded.readRequest) return;
  if ((index === 0) !== (refused !== null)) {
    core.out.events.push({
      kind: 'violation',
      peer: from,
      reason: 'answers a read with both an index and a refusal, or neither',
    });
    return;
  }
  for (const id of forwarded.readsSent) core.out.reads.push({ id, index, refused });
  forwarded.readsSent = [];
  forwarded.readRequest = null;
}

/** The leader is lost, or messages to it were: reads may be asked again, proposals must not. */
export function failForwarded(core: Core): void {
  const { forwarded, term } = core.state;
  for (const { id, count } of forwarded.proposals) {
    core.out.proposals.push({ id, count, index: 0, term, refused: null, unknown: true });
  }
  for (const { id } of forwarded.changes) core.out.changes.push({ id, index: 0, term, refused: null, unknown: true });
  const failed: Output['reads'] = [...forwarded.readsSent, ...forwarded.readsWaiting].map((id) => ({
    id,
    index: 0,
    refused: 'leadershipLost',
  }));
  core.out.reads.push(...failed);
  forwarded.proposals = [];
  forwarded.proposalBytes = 0;
  forwarded.changes = [];
  forwarded.readsSent = [];
  forwarded.readsWaiting = [];
  forwarded.readRequest = null;
}
