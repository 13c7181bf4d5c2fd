/**
 * Small numbers that stand for what a core said: enough to see that two runs part, and where. 32 bits, no defence against anyone who
 * wants them to collide. Contents of commands do not enter: they came in as inputs.
 */
import type { Message, Output, Raft, TimerName } from '@quorate/raft';
import { messageKindNumbers } from '../codec/message-codec.ts';

const timerNumbers: Readonly<Record<TimerName, number>> = {
  election: 1,
  heartbeat: 2,
  quorumCheck: 3,
  stickiness: 4,
  commitNotice: 5,
  transfer: 6,
  repair: 7,
  quiet: 8,
};

/** Of one output, and of where it left the core. */
export function fingerprintOutput(output: Output, raft: Raft): number {
  const { state } = raft;
  let hash = mix(mix(mix(mix(1, state.term), state.commitIndex), state.appliedIndex), state.log.lastIndex);
  hash = mix(hash, state.durability.durableIndex);
  if (output.persist !== null) hash = mixBatch(hash, output.persist);
  for (const { message, after } of output.send) hash = mix(mix(hash, fingerprintMessage(message)), after);
  for (const { name, generation, min, max } of output.arm) {
    hash = mix(mix(mix(mix(hash, timerNumbers[name]), generation), min), max);
  }
  if (output.restore !== null) hash = mix(mix(hash, output.restore.snapshot.index), output.restore.after);
  if (output.apply !== null) hash = mix(mix(hash, output.apply.from), output.apply.to);
  for (const { id, from, to } of output.load) hash = mix(mix(mix(hash, id), from), to);
  for (const { id, count, index, term } of output.proposals) hash = mix(mix(mix(mix(hash, id), count), index), term);
  for (const { id, index } of output.reads) hash = mix(mix(hash, id), index);
  for (const { id, index } of output.changes) hash = mix(mix(hash, id), index);
  for (const { id, outcome } of output.transfers) hash = mixText(mix(hash, id), outcome);
  return hash >>> 0;
}

/** The same where a message leaves and where it arrives. */
export function fingerprintMessage(message: Message): number {
  const start = mixText(mixText(messageKindNumbers[message.kind], message.from), message.to);
  return mixFields(mix(start, message.term), message) >>> 0;
}

function mixFields(hash: number, message: Message): number {
  switch (message.kind) {
    case 'preVote':
      return mix(mix(mix(hash, message.round), message.lastIndex), message.lastTerm);
    case 'preVoteReply':
      return mix(mix(hash, message.round), Number(message.granted));
    case 'requestVote':
      return mix(mix(hash, message.lastIndex), message.lastTerm);
    case 'requestVoteReply':
      return mix(hash, Number(message.granted));
    case 'appendEntries':
      return mix(mix(mix(hash, message.prevIndex), message.entries.length), message.commit);
    case 'appendEntriesReply':
      return mix(mix(mix(hash, message.index), message.hintIndex), Number(message.accepted));
    case 'heartbeat':
      return mix(mix(hash, message.commit), message.round);
    case 'heartbeatReply':
      return mix(mix(mix(hash, message.round), message.speaks), Number(message.behind));
    case 'installSnapshot':
      return mix(hash, message.snapshot.index);
    case 'installSnapshotReply':
      return mix(mix(hash, message.snapshotIndex), message.index);
    case 'readIndex':
      return mix(hash, message.id);
    case 'readIndexReply':
      return mix(mix(hash, message.id), message.index);
    case 'propose':
      return mix(mix(hash, message.id), message.commands.length);
    case 'proposeReply':
      return mix(mix(mix(hash, message.id), message.count), message.index);
    case 'changeMembers':
      return mix(mix(mix(hash, message.id), message.version), message.changes.length);
    case 'changeMembersReply':
      return mix(mix(hash, message.id), message.index);
    case 'timeoutNow':
      return hash;
    case 'fetchEntries':
      return mix(mix(mix(mix(hash, message.round), message.applied), message.snapshot), message.wanted.length);
    case 'fetchEntriesReply':
      return mix(mix(hash, message.round), message.answers.length);
  }
}

function mixBatch(
  hash: number,
  { id, hardState, truncateFrom, entries, snapshot, adopt, repairs }: NonNullable<Output['persist']>,
): number {
  const last = entries.at(-1);
  let mixed = mix(mix(mix(hash, id), truncateFrom), entries.length);
  mixed = mix(mix(mixed, last?.index ?? 0), last?.term ?? 0);
  if (hardState !== null) mixed = mixText(mix(mixed, hardState.term), hardState.vote ?? '');
  for (const repaired of repairs) mixed = mix(mixed, repaired.index);
  if (adopt !== null) mixed = mix(mixed, adopt.index);
  return snapshot === null ? mixed : mix(mixed, snapshot.index);
}

function mixText(hash: number, text: string): number {
  let mixed = mix(hash, text.length);
  for (let at = 0; at < text.length; at++) mixed = Math.imul(mixed ^ text.charCodeAt(at), 0x01000193);
  return mixed;
}

/** Takes in a safe integer, both halves of it. */
function mix(hash: number, value: number): number {
  const low = Math.imul(hash ^ value, 0x9e3779b1);
  const mixed = Math.imul(low ^ (low >>> 15) ^ (value / 0x1_0000_0000), 0x85ebca77);
  return mixed ^ (mixed >>> 13);
}
