/** How entries enter the log (§5.3): a leader appends; any other server carries its clients' commands to the leader, once. */
import { appendOwn } from './append.ts';
import { forwardProposals } from './forward.ts';
import { isForeign } from './identity.ts';
import type { Propose, RefusalReason } from './message.ts';
import { noteAwaited } from './progress.ts';
import { envelope, send } from './send.ts';
import type { Core } from './state.ts';
import { EntryKind, type Index, type MemberId } from './types.ts';
import { isHandingOver } from './transfer.ts';
import { totalWeight } from './weight.ts';

/** This server's own clients want commands in the log. */
export function onPropose(core: Core, id: number, commands: readonly Uint8Array[]): void {
  const { state } = core;
  const refused = whyRefused(core, commands);
  if (refused !== null) {
    refuse(core, id, commands.length, refused);
  } else if (state.role === 'leader') {
    const index = appendCommands(core, commands);
    core.out.proposals.push({ id, count: commands.length, index, term: state.term, refused: null, unknown: false });
  } else {
    forwardProposals(core, id, commands);
  }
}

function refuse(core: Core, id: number, count: number, refused: RefusalReason): void {
  core.out.proposals.push({ id, count, index: 0, term: core.state.term, refused, unknown: false });
}

/** A follower carries its clients' commands here. It was told the answer before, if this is no leader any more. */
export function onProposeMessage(core: Core, message: Propose): void {
  const { state } = core;
  const { from, id, commands } = message;
  const refused = state.role === 'leader' ? whyRefused(core, commands) : 'noLeader';
  const index = refused === null ? appendCommands(core, commands) : 0;
  if (refused === null && state.leadership !== null) noteAwaited(state.leadership, from, state.log.lastIndex);
  sendProposeReply(core, from, id, commands.length, index, refused);
}

/** Tells a follower where its commands were appended, or why none was. */
export function sendProposeReply(
  core: Core,
  to: MemberId,
  id: number,
  count: number,
  index: Index,
  refused: RefusalReason | null,
): void {
  send(core, { kind: 'proposeReply', ...envelope(core, to), id, count, index, refused });
}

function whyRefused(core: Core, commands: readonly Uint8Array[]): RefusalReason | null {
  const { state, options } = core;
  if (isForeign(core)) return 'foreignIncarnation';
  if (commands.some((command) => command.length > options.maxCommandBytes)) return 'tooLarge';
  if (state.role !== 'leader' && state.leader === null) return 'noLeader';
  if (state.leadership?.recovering === true) return 'recovering';
  if (isHandingOver(core)) return 'leadershipLost';
  // One proposal larger than the whole budget may pass when nothing else waits; otherwise it never could.
  const waiting = state.leadership?.uncommittedBytes ?? state.forwarded.proposalBytes;
  return waiting > 0 && waiting + totalWeight(commands) > options.maxUncommittedBytes ? 'busy' : null;
}

function appendCommands(core: Core, commands: readonly Uint8Array[]): Index {
  const first = core.state.log.lastIndex + 1;
  for (const data of commands) appendOwn(core, EntryKind.command, data);
  return first;
}
