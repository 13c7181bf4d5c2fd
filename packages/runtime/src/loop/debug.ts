/** The texts of debug lines. Called only when the topic is on. */
import type { Message, Output, RaftEvent } from '@quorate/raft';
import type { Observer } from '../observer.ts';

export function debugReceived(observer: Observer, message: Message): void {
  debugMessage(observer, message, `from ${message.from}`);
}

export function debugSent(observer: Observer, message: Message): void {
  debugMessage(observer, message, `to ${message.to}`);
}

function debugMessage(observer: Observer, message: Message, direction: string): void {
  const { on } = observer;
  const { term } = message;
  switch (message.kind) {
    case 'heartbeat':
      if (on.heartbeats) {
        observer.line(
          'heartbeats',
          `${direction}: heartbeat, term ${term}, commit ${message.commit}, round ${message.round}`,
        );
      }
      return;
    case 'heartbeatReply':
      if (on.heartbeats)
        observer.line('heartbeats', `${direction}: heartbeat answered, term ${term}, round ${message.round}`);
      return;
    case 'preVote':
    case 'requestVote':
      if (on.votes) {
        observer.line(
          'votes',
          `${direction}: ${message.kind}, term ${term}, log ends at ${message.lastIndex}/${message.lastTerm}`,
        );
      }
      return;
    case 'preVoteReply':
    case 'requestVoteReply':
      if (on.votes) {
        observer.line(
          'votes',
          `${direction}: ${message.kind}, term ${term}, ${message.granted ? 'granted' : 'refused'}`,
        );
      }
      return;
    case 'appendEntries':
      if (on.writes) {
        const range = `${message.entries.length} entries behind ${message.prevIndex}/${message.prevTerm}`;
        observer.line('writes', `${direction}: append ${range}, term ${term}, commit ${message.commit}`);
      }
      return;
    case 'appendEntriesReply':
      if (on.writes) {
        const verdict = message.accepted ? `accepted to ${message.index}` : `refused behind ${message.index}`;
        observer.line('writes', `${direction}: append ${verdict}, term ${term}`);
      }
      return;
    case 'propose':
      if (on.writes) observer.line('writes', `${direction}: ${message.commands.length} commands carried to the leader`);
      return;
    case 'proposeReply':
      if (on.writes) {
        const verdict = message.refused === null ? `appended from ${message.index}` : `refused, ${message.refused}`;
        observer.line('writes', `${direction}: ${message.count} carried commands ${verdict}`);
      }
      return;
    case 'readIndex':
    case 'readIndexReply':
      if (on.reads) observer.line('reads', `${direction}: ${message.kind} ${message.id}, term ${term}`);
      return;
    case 'installSnapshot':
      if (on.state) observer.line('state', `${direction}: snapshot at ${message.snapshot.index}, term ${term}`);
      return;
    case 'installSnapshotReply':
      if (on.state)
        observer.line('state', `${direction}: snapshot answered, log matches to ${message.index}, term ${term}`);
      return;
    case 'fetchEntries':
      if (on.state)
        observer.line(
          'state',
          `${direction}: asks for ${message.wanted.length} faulty entries${message.snapshot > 0 ? ' and a snapshot' : ''}, term ${term}`,
        );
      return;
    case 'fetchEntriesReply':
      if (on.state) {
        const sent = message.answers.filter(({ verdict }) => verdict === 'have').length;
        observer.line(
          'state',
          `${direction}: knows of ${message.answers.length} faulty entries, sends ${sent}, term ${term}`,
        );
      }
      return;
    case 'changeMembers':
      if (on.state) {
        const wishes = message.changes.map(({ op, id }) => `${op} ${id}`).join(', ');
        observer.line('state', `${direction}: change of membership, version ${message.version}: ${wishes}`);
      }
      return;
    case 'changeMembersReply':
      if (on.state) {
        const verdict = message.refused === null ? `appended at ${message.index}` : `refused, ${message.refused}`;
        observer.line('state', `${direction}: change of membership ${verdict}`);
      }
      return;
    case 'timeoutNow':
      if (on.votes) observer.line('votes', `${direction}: stand for election at once, term ${term}`);
      return;
  }
}

export function debugOutput(observer: Observer, output: Output): void {
  const { on } = observer;
  for (const event of output.events) debugEvent(observer, event);
  if (on.state && output.persist !== null) {
    const { id, entries, hardState, truncateFrom, repairs } = output.persist;
    const term = hardState === null ? '' : `, term ${hardState.term} vote ${hardState.vote ?? 'none'}`;
    const cut = truncateFrom === 0 ? '' : `, cut from ${truncateFrom}`;
    const repaired = repairs.length === 0 ? '' : `, ${repairs.length} repaired`;
    observer.line('state', `batch ${id}: ${entries.length} entries${repaired}${cut}${term}`);
  }
  if (on.state && output.apply !== null) observer.line('state', `apply ${output.apply.from} to ${output.apply.to}`);
  if (on.reads) {
    for (const { id, index, refused } of output.reads) {
      observer.line('reads', `read ${id}: ${refused === null ? `at index ${index}` : `refused, ${refused}`}`);
    }
  }
}

function debugEvent(observer: Observer, event: RaftEvent): void {
  const { on } = observer;
  switch (event.kind) {
    case 'vote':
      if (on.votes) {
        const what = `${event.pre ? 'pre-vote' : 'vote'} of term ${event.term}`;
        observer.line('votes', `${what} ${event.granted ? 'for' : 'refused to'} ${event.candidate}: ${event.reason}`);
      }
      return;
    case 'role':
      if (on.state) observer.line('state', `${event.role} in term ${event.term}: ${event.reason}`);
      return;
    case 'leader':
      if (on.state) observer.line('state', `leader of term ${event.term}: ${event.leader ?? 'none'}`);
      return;
    default:
      if (on.state) observer.line('state', event.kind);
      return;
  }
}

/** Whether any message topic is on. */
export function watchesMessages(observer: Observer): boolean {
  const { on } = observer;
  return on.heartbeats || on.votes || on.writes || on.reads || on.state;
}
