/**
 * Recordings without what clients wrote. A command becomes zeros of the same length, since the core looks at nothing but lengths; its
 * checksum stands in front, so that two records of one command can still be told to be the same. 32 bits tell nothing to who cannot
 * guess the command, and confirm it to who can: a redacted recording is not a secret kept, but contents it does not hold.
 */
import { type Entry, EntryKind, type Input, type Message } from '@quorate/raft';
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

function redactMessage(message: Message): Message {
  if (message.kind === 'appendEntries') return { ...message, entries: message.entries.map(redactEntry) };
  if (message.kind === 'propose') return { ...message, commands: message.commands.map(redactCommand) };
  return message;
}

function redactCommand(command: Uint8Array): Uint8Array {
  const redacted = new Uint8Array(command.length);
  if (command.length < shortestMarked) return redacted;
  const mark = crc32c(command);
  for (let at = 0; at < 4; at++) redacted[at] = mark >>> (8 * at);
  return redacted;
}
