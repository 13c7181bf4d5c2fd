/**
 * Recordings without what clients wrote. A command becomes zeros of the same length, since the core looks at nothing but lengths; its
 * checksum stands in front, so that two records of one command can still be told to be the same. 32 bits tell nothing to who cannot
 * guess the command, and confirm it to who can: a redacted recording is not a secret kept, but contents it does not hold.
 */
import { type Entry, EntryKind, type FetchAnswer, type Input, type Message, type RaftState } from '@quorate/raft';
import { crc32c } from '../crc32c.ts';

/** Below this a checksum would all but spell out the content: zeros alone then. */
const shortestMarked = 8;

export function redactInput(input: Input): Input {
  switch (input.kind) {
    case 'message':
      return { ...input, message: redactMessage(input.message) };
    case 'propose':
      return { ...input, commands: input.commands.map(redactCommand) };
    case 'loaded':
      return { ...input, entries: input.entries.map(redactEntry) };
    default:
      return input;
  }
}

/** Configuration entries are kept: the core reads them. */
export function redactEntry(entry: Entry): Entry {
  return entry.kind === EntryKind.command ? { ...entry, data: redactCommand(entry.data) } : entry;
}

/** What a state holds apart from its cache: the content of faulty entries that is on its way to the disk. */
export function redactState(state: RaftState): RaftState {
  const faulty = state.log.faulty.map((mark) => ({
    ...mark,
    entry: mark.entry === null ? null : redactEntry(mark.entry),
  }));
  return { ...state, log: { ...state.log, faulty } };
}

function redactMessage(message: Message): Message {
  if (message.kind === 'appendEntries') return { ...message, entries: message.entries.map(redactEntry) };
  if (message.kind === 'propose') return { ...message, commands: message.commands.map(redactCommand) };
  if (message.kind === 'fetchEntriesReply') return { ...message, answers: message.answers.map(redactAnswer) };
  return message;
}

function redactAnswer(answer: FetchAnswer): FetchAnswer {
  return answer.verdict === 'have' ? { ...answer, entry: redactEntry(answer.entry) } : answer;
}

function redactCommand(command: Uint8Array): Uint8Array {
  const redacted = new Uint8Array(command.length);
  if (command.length < shortestMarked) return redacted;
  const mark = crc32c(command);
  for (let at = 0; at < 4; at++) redacted[at] = mark >>> (8 * at);
  return redacted;
}
