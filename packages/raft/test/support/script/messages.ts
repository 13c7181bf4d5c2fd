/** Builds a message from words: for scripts in which a peer says what no correct core would, or says it at the wrong time. */
import { type Entry, EntryKind, type Envelope, type Message } from '../../../src/index.ts';
import { configuration } from '../configurations.ts';
import { listOf, type Words } from './words.ts';

const encoder = new TextEncoder();

export function buildMessage(kind: string, envelope: Envelope, words: Words): Message {
  const number = (name: string): number => words.number(name) ?? 0;
  const flag = (name: string): boolean => words.value(name) === 'yes';
  switch (kind) {
    case 'preVote': {
      const last = words.position('last');
      return { kind, ...envelope, round: number('round'), lastIndex: last.index, lastTerm: last.term };
    }
    case 'preVoteReply':
      return { kind, ...envelope, round: number('round'), granted: flag('granted') };
    case 'requestVote': {
      const last = words.position('last');
      return { kind, ...envelope, lastIndex: last.index, lastTerm: last.term, transfer: flag('transfer') };
    }
    case 'requestVoteReply':
      return { kind, ...envelope, granted: flag('granted') };
    case 'appendEntries': {
      const prev = words.position('prev');
      const entries = listOf(words.value('entries') ?? '').map((word) => parseEntry(word, words));
      return { kind, ...envelope, prevIndex: prev.index, prevTerm: prev.term, entries, commit: number('commit') };
    }
    case 'appendEntriesReply': {
      const accepted = words.number('accepted');
      const hint = words.position('hint');
      return {
        kind,
        ...envelope,
        accepted: accepted !== null,
        index: accepted ?? number('refused'),
        hintIndex: hint.index,
        hintTerm: hint.term,
      };
    }
    case 'heartbeat':
      return { kind, ...envelope, commit: number('commit'), round: number('round') };
    case 'heartbeatReply':
      return { kind, ...envelope, round: number('round'), speaks: words.number('speaks') ?? 1, behind: false };
    case 'installSnapshot': {
      const voters = words.list('voters');
      return {
        kind,
        ...envelope,
        snapshot: { ...words.position('snapshot'), configuration: configuration({ voters }) },
      };
    }
    case 'installSnapshotReply':
      return { kind, ...envelope, snapshotIndex: number('snapshot'), index: number('matches') };
    case 'readIndex':
      return { kind, ...envelope, id: number('id') };
    case 'readIndexReply':
      return { kind, ...envelope, id: number('id'), index: number('index'), refused: null };
    case 'propose': {
      const commands = words.list('commands').map((command) => encoder.encode(command));
      return { kind, ...envelope, id: number('id'), commands };
    }
    case 'proposeReply':
      return { kind, ...envelope, id: number('id'), count: number('count'), index: number('index'), refused: null };
    case 'timeoutNow':
      return { kind, ...envelope };
    default:
      return words.fail(`knows no message ${kind}`);
  }
}

/** `5/2:x` is a command, `5/2` or `5/2:noop` an empty entry. */
function parseEntry(word: string, words: Words): Entry {
  const [place, data] = word.split(':');
  const position = words.parsePosition(place ?? '');
  return data === undefined || data === 'noop'
    ? { ...position, kind: EntryKind.noop, data: new Uint8Array() }
    : { ...position, kind: EntryKind.command, data: encoder.encode(data) };
}
