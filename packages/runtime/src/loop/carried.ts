/** Answers that the runtime gives to carried proposals, where the core never sees them. */
import type {
  ChangeMembers,
  ChangeMembersReply,
  Incarnation,
  Message,
  Propose,
  ProposeReply,
  Term,
} from '@quorate/raft';

/** What a message adds to the log: so many entries with so many bytes of data together. */
export function payload(message: Message): { readonly bytes: number; readonly entries: number } {
  let bytes = 0;
  switch (message.kind) {
    case 'propose':
      for (const command of message.commands) bytes += command.length;
      return { bytes, entries: message.commands.length };
    case 'appendEntries':
      for (const entry of message.entries) bytes += entry.data.length;
      return { bytes, entries: message.entries.length };
    default:
      return nothing;
  }
}

const nothing = { bytes: 0, entries: 0 };

/** The leader's answer when its disk has no room. `term` must be durable before it leaves. */
export function refusedForRoom(message: Propose, term: Term, incarnation: Incarnation): ProposeReply {
  return reply(message, term, incarnation, 'leaderDiskFull');
}

/** What never left this server was never appended: the answer that the leader cannot give. */
export function neverLeft(
  message: Propose | ChangeMembers,
  term: Term,
  incarnation: Incarnation,
): ProposeReply | ChangeMembersReply {
  if (message.kind === 'propose') return reply(message, term, incarnation, 'noLeader');
  const { group, from, to, id } = message;
  return {
    kind: 'changeMembersReply',
    group,
    from: to,
    to: from,
    incarnation,
    term,
    id,
    index: 0,
    refused: 'noLeader',
  };
}

function reply(
  message: Propose,
  term: Term,
  incarnation: Incarnation,
  refused: NonNullable<ProposeReply['refused']>,
): ProposeReply {
  const { group, from, to, id, commands } = message;
  return {
    kind: 'proposeReply',
    group,
    from: to,
    to: from,
    incarnation,
    term,
    id,
    count: commands.length,
    index: 0,
    refused,
  };
}
