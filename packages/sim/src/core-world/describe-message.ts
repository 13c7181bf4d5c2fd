/** Messages in a few words, for screens and traces. */
import type { Message } from '@quorate/raft';

export function describeMessage(message: Message): string {
  switch (message.kind) {
    case 'preVote':
    case 'requestVote':
      return `last ${message.lastIndex}/${message.lastTerm}`;
    case 'preVoteReply':
    case 'requestVoteReply':
      return message.granted ? 'granted' : 'refused';
    case 'appendEntries': {
      const entries = message.entries.map(({ index, term }) => `${index}/${term}`).join(' ');
      return `behind ${message.prevIndex}/${message.prevTerm}: ${entries || 'nothing'}; commit ${message.commit}`;
    }
    case 'appendEntriesReply':
      return message.accepted ? `has up to ${message.index}` : `refused ${message.index}, look at ${message.hintIndex}`;
    case 'heartbeat':
      return `commit ${message.commit}, round ${message.round}`;
    case 'heartbeatReply':
      return `round ${message.round}`;
    case 'installSnapshot':
      return `snapshot ${message.snapshot.index}/${message.snapshot.term}`;
    case 'installSnapshotReply':
      return `has up to ${message.index}`;
    case 'readIndex':
      return `read ${message.id}`;
    case 'readIndexReply':
      return message.index === 0 ? `read ${message.id} refused` : `read ${message.id} at ${message.index}`;
    case 'propose':
      return `commands ${message.id} to ${message.id + message.commands.length - 1}`;
    case 'proposeReply':
      return message.refused ?? `at ${message.index}`;
    case 'changeMembers':
      return message.changes.map((change) => `${change.op} ${change.id}`).join(', ');
    case 'changeMembersReply':
      return message.refused ?? `at ${message.index}`;
    case 'fetchEntries':
      return `wants ${message.wanted.map(({ index, term }) => `${index}/${term}`).join(' ')}`;
    case 'fetchEntriesReply':
      return `${message.answers.length} answers`;
    default:
      return '';
  }
}
