/**
 * Every message passes here (Figure 2, "Rules for Servers", All Servers): first the term decides, then the table of role ×
 * message. Each cell is a decision, and the compiler misses none. Nothing that a peer sends throws.
 */
import { isBehind } from './commit.ts';
import {
  isProtectedFrom,
  onPreVote,
  onPreVoteReply,
  onRequestVote,
  onRequestVoteReply,
  onTimeoutNow,
  refuseVote,
} from './election.ts';
import { onAppendEntries, refuse } from './follower.ts';
import { onChangeMembersReply, onProposeReply, onReadIndexReply } from './forward.ts';
import { acceptsAnswer } from './identity.ts';
import type { Message, MessageKind } from './message.ts';
import { onFetchEntries } from './lend.ts';
import { onProposeMessage, sendProposeReply } from './propose.ts';
import { onHeartbeat } from './heartbeat.ts';
import { onHeartbeatReply, onReadIndex } from './reads.ts';
import { onChangeMembers } from './reconfigure.ts';
import { onAccepted, onAppendEntriesReply } from './replication.ts';
import { onFetchEntriesReply } from './repair.ts';
import { becomeFollower } from './role.ts';
import { envelope, send } from './send.ts';
import { onInstallSnapshot } from './snapshot.ts';
import type { Core, Leadership, Progress } from './state.ts';
import { armAfterContact } from './timers.ts';
import { maxTerm, type Role } from './types.ts';

type Of<K extends MessageKind> = Extract<Message, { kind: K }>;
type Handlers = { readonly [K in MessageKind]: (core: Core, message: Of<K>) => void };

/** A message has arrived. */
export function receive(core: Core, message: Message): void {
  const { state, options } = core;
  if (message.group !== options.group || message.to !== options.id || message.from === options.id) {
    violation(core, message, 'sends a message that is not for this server');
    return;
  }
  if (message.term > maxTerm) {
    violation(core, message, `claims to be in term ${message.term}`);
    return;
  }
  // PreVote speaks of a term that nobody has reached; the term of its sender obliges nobody (dissertation §9.6).
  if (message.kind === 'preVote') {
    onPreVote(core, message);
    return;
  }
  if (message.term > state.term && !adoptTerm(core, message)) return;
  if (message.term < state.term && message.kind !== 'preVoteReply') {
    answerPast(core, message);
    return;
  }
  dispatch(core, table[state.role], message);
}

function dispatch<K extends MessageKind>(core: Core, handlers: Handlers, message: Of<K>): void {
  const handler = handlers[message.kind] as (core: Core, message: Of<K>) => void;
  handler(core, message);
}

/** A later term makes this server a follower in it (§5.1), unless it protects the present leader. Returns whether it did. */
function adoptTerm(core: Core, message: Message): boolean {
  if (message.kind === 'requestVote' && isProtectedFrom(core, message)) {
    refuseVote(core, message, 'a leader was heard from');
    return false;
  }
  becomeFollower(core, message.term, null, `heard of term ${message.term} from ${message.from}`);
  return true;
}

/** A message of a past term does nothing, but whoever asks learns of the present one, so that nobody stays behind for ever. */
function answerPast(core: Core, message: Message): void {
  const { options } = core;
  switch (message.kind) {
    case 'appendEntries':
      refuse(core, message);
      return;
    case 'heartbeat':
      // The asker may lead this server's term meanwhile, with rounds of its own: what it asked in an earlier one confirms none.
      send(core, {
        kind: 'heartbeatReply',
        ...envelope(core, message.from),
        round: 0,
        speaks: options.release.max,
        behind: isBehind(core.state),
      });
      return;
    case 'installSnapshot':
      send(core, {
        kind: 'installSnapshotReply',
        ...envelope(core, message.from),
        snapshotIndex: message.snapshot.index,
        index: 0,
      });
      return;
    case 'requestVote':
      refuseVote(core, message, 'its term is past');
      return;
    case 'readIndex':
      send(core, {
        kind: 'readIndexReply',
        ...envelope(core, message.from),
        id: message.id,
        index: 0,
        refused: 'noLeader',
      });
      return;
    case 'propose':
      sendProposeReply(core, message.from, message.id, message.commands.length, 0, 'noLeader');
      return;
    case 'changeMembers':
      onChangeMembers(core, message);
      return;
    case 'fetchEntries':
      onFetchEntries(core, message);
      return;
    default:
      return;
  }
}

/** Messages that only the leader of the term sends: it is one, and it is heard. */
function fromLeader<M extends Message>(handle: (core: Core, message: M) => void): (core: Core, message: M) => void {
  return (core, message) => {
    const { state } = core;
    if (state.leader !== null && state.leader !== message.from) {
      violation(core, message, `claims to lead term ${message.term}, which ${state.leader} leads`);
      return;
    }
    if (state.role !== 'follower' || state.leader === null) {
      becomeFollower(core, state.term, message.from, `${message.from} leads this term`);
    } else {
      armAfterContact(core);
    }
    handle(core, message);
  };
}

/** Answers that only a leader waits for: of a member, of the incarnation that counts, and a sign of life whatever they say. */
function fromMember<M extends Message>(
  handle: (core: Core, leadership: Leadership, progress: Progress, message: M) => void,
): (core: Core, message: M) => void {
  return (core, message) => {
    const { leadership } = core.state;
    const progress = leadership?.progress.find((it) => it.id === message.from);
    if (leadership === null || progress === undefined) return;
    if (!acceptsAnswer(core, message.from, message.incarnation)) return;
    progress.active = true;
    progress.lastContact = core.state.now;
    handle(core, leadership, progress, message);
  };
}

function violation(core: Core, message: Message, reason: string): void {
  core.out.events.push({ kind: 'violation', peer: message.from, reason });
}

function twoLeaders(core: Core, message: Message): void {
  violation(core, message, `claims to lead term ${message.term}, which this server leads`);
}

/** For cells in which the message has come too late to mean anything. */
function ignore(): void {}

/** What every server that does not lead makes of a message; pre-candidates and candidates differ only in the votes they count. */
const follower: Handlers = {
  preVote: onPreVote,
  preVoteReply: ignore,
  requestVote: onRequestVote,
  requestVoteReply: ignore,
  appendEntries: fromLeader(onAppendEntries),
  appendEntriesReply: ignore,
  heartbeat: fromLeader(onHeartbeat),
  heartbeatReply: ignore,
  installSnapshot: fromLeader(onInstallSnapshot),
  installSnapshotReply: ignore,
  readIndex: onReadIndex,
  readIndexReply: onReadIndexReply,
  propose: onProposeMessage,
  proposeReply: onProposeReply,
  changeMembers: onChangeMembers,
  changeMembersReply: onChangeMembersReply,
  timeoutNow: onTimeoutNow,
  fetchEntries: onFetchEntries,
  fetchEntriesReply: onFetchEntriesReply,
};

const table: Readonly<Record<Role, Handlers>> = {
  follower,
  preCandidate: { ...follower, preVoteReply: onPreVoteReply, timeoutNow: ignore },
  candidate: { ...follower, requestVoteReply: onRequestVoteReply, timeoutNow: ignore },
  leader: {
    preVote: onPreVote,
    preVoteReply: ignore,
    requestVote: onRequestVote,
    requestVoteReply: ignore,
    appendEntries: twoLeaders,
    appendEntriesReply: fromMember((core, _leadership, progress, message) =>
      onAppendEntriesReply(core, progress, message),
    ),
    heartbeat: twoLeaders,
    heartbeatReply: fromMember(onHeartbeatReply),
    installSnapshot: twoLeaders,
    installSnapshotReply: fromMember((core, _leadership, progress, message) =>
      onAccepted(core, progress, message.index),
    ),
    readIndex: onReadIndex,
    readIndexReply: ignore,
    propose: onProposeMessage,
    proposeReply: ignore,
    changeMembers: onChangeMembers,
    changeMembersReply: ignore,
    timeoutNow: ignore,
    fetchEntries: onFetchEntries,
    fetchEntriesReply: fromMember((core, _leadership, _progress, message) => onFetchEntriesReply(core, message)),
  },
};
