/**
 * What stands in the log for a state machine with sessions (docs/sessions.md has the table). Numbers are LEB128, texts counted.
 *
 * ```
 * 0  ff 51 53 45   no text begins so, whatever the embedder's commands look like
 * 4  format version (1)
 * 5  kind: 1 open      token, window, maxSessions, maxKeptBytes
 *          2 command   session, sequence, lowest unanswered, the command
 *          3 close     session
 *          4 outside   the command
 * ```
 */
import { ByteReader } from '../codec/byte-reader.ts';
import { ByteWriter } from '../codec/byte-writer.ts';
import { RaftError } from '../errors.ts';
import type { SessionId } from './answer.ts';
import { areLimits, isWindow, type SessionLimits } from './limits.ts';

const magic = [0xff, 0x51, 0x53, 0x45] as const;
const formatVersion = 1;
const headerBytes = 6;
/** Three numbers of at most eight bytes. */
const maxFieldBytes = 24;
/** The longest token, in bytes. */
export const maxTokenBytes = 64;

const kinds = { open: 1, command: 2, close: 3, outside: 4 } as const;

export interface OpenCommand {
  readonly kind: 'open';
  /** Drawn by the client, so that an `open` that is sent again finds the session that the first one opened. */
  readonly token: string;
  readonly window: number;
  readonly limits: SessionLimits;
}

export interface SessionCommand {
  readonly kind: 'command';
  readonly session: SessionId;
  /** From 1 on, one more for each command of the session. */
  readonly sequence: number;
  /** The client has what it wanted of all commands below. At most `sequence`. */
  readonly lowest: number;
  readonly data: Uint8Array;
}

type Envelope =
  | OpenCommand
  | SessionCommand
  | { readonly kind: 'close'; readonly session: SessionId }
  /** Of no session: applied as often as it stands in the log. */
  | { readonly kind: 'outside'; readonly data: Uint8Array }
  | { readonly kind: 'malformed' };

export function encodeOpen({ token, window, limits }: Omit<OpenCommand, 'kind'>): Uint8Array {
  const to = begin(kinds.open, maxTokenBytes);
  to.string(token);
  to.varint(window);
  to.varint(limits.maxSessions);
  to.varint(limits.maxKeptBytes);
  return to.view();
}

export function encodeCommand({ session, sequence, lowest, data }: Omit<SessionCommand, 'kind'>): Uint8Array {
  const to = begin(kinds.command, data.length);
  to.varint(session);
  to.varint(sequence);
  to.varint(lowest);
  to.raw(data);
  return to.view();
}

export function encodeClose(session: SessionId): Uint8Array {
  const to = begin(kinds.close, 0);
  to.varint(session);
  return to.view();
}

/**
 * A command that belongs to no session, for `RaftNode.propose` on a state machine with sessions. Plain bytes do as well unless they
 * may begin like an envelope: wrap what strangers have sent.
 */
export function withoutSession(command: Uint8Array): Uint8Array {
  const to = begin(kinds.outside, command.length);
  to.raw(command);
  return to.view();
}

function begin(kind: number, dataBytes: number): ByteWriter {
  const to = new ByteWriter(headerBytes + maxFieldBytes + dataBytes);
  for (const byte of magic) to.u8(byte);
  to.u8(formatVersion);
  to.u8(kind);
  return to;
}

/**
 * Every server must judge alike: what no version could mean is `malformed`, and answered so. What a later version may mean stops this
 * server instead.
 *
 * @throws RaftError StateMachineFailed for a later version.
 */
export function openEnvelope(bytes: Uint8Array): Envelope {
  if (!magic.every((byte, at) => bytes[at] === byte)) return { kind: 'outside', data: bytes };
  const version = bytes[magic.length];
  if (version === undefined || version === 0) return malformed;
  if (version > formatVersion) {
    throw new RaftError(
      'StateMachineFailed',
      `The log holds a command of a session in format ${version}, which this version does not know. Run the version that the ` +
        'other servers run.',
    );
  }
  return readFields(new ByteReader(bytes, headerBytes), bytes[magic.length + 1]);
}

const malformed = { kind: 'malformed' } as const;

function readFields(from: ByteReader, kind: number | undefined): Envelope {
  switch (kind) {
    case kinds.open:
      return readOpen(from);
    case kinds.command:
      return readCommand(from);
    case kinds.close: {
      const session = from.varint();
      return from.complete && session > 0 ? { kind: 'close', session } : malformed;
    }
    case kinds.outside:
      return { kind: 'outside', data: from.take(from.remaining) };
    default:
      return malformed;
  }
}

function readOpen(from: ByteReader): Envelope {
  const token = from.string(maxTokenBytes);
  const window = from.varint();
  const limits = { maxSessions: from.varint(), maxKeptBytes: from.varint() };
  const isValid = from.complete && token.length > 0 && isWindow(window) && areLimits(limits);
  return isValid ? { kind: 'open', token, window, limits } : malformed;
}

function readCommand(from: ByteReader): Envelope {
  const session = from.varint();
  const sequence = from.varint();
  const lowest = from.varint();
  if (from.failed || session === 0 || lowest === 0 || lowest > sequence) return malformed;
  return { kind: 'command', session, sequence, lowest, data: from.take(from.remaining) };
}
