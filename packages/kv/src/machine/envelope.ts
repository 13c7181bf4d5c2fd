/**
 * What stands in the log: a header that says who proposed the command and which of their commands it is, then the request's
 * bytes as the client sent them.
 *
 * ```
 *  0  format version (1)        18  sequence, u64
 *  1  flags                     26  session, u64                                              if flag 1
 *  2  origin's member id, u64   ..  user: u16 length, UTF-8 bytes; auth revision, u64         if flag 2
 * 10  origin's incarnation, u64 ..  command kind, then the request
 * ```
 * Integers are little-endian. A version, flag or kind that a server does not know stops it.
 */
import { allocate } from '../api/wire/slab.ts';
import { readSafe, readU64, writeSafe, writeU64 } from '../byte-stream.ts';
import { StateMachineError } from '../errors.ts';

const formatVersion = 1;
const originAt = 2;
const sequenceAt = 18;
const fixedBytes = 26;
const flagSession = 1;
const flagUser = 2;

export const CommandKind = { put: 1, deleteRange: 2, txn: 3, compact: 4, publishMember: 5 } as const;
export type CommandKind = (typeof CommandKind)[keyof typeof CommandKind];

/** A server in one of its lives: who numbers commands. */
export interface Origin {
  readonly member: bigint;
  readonly incarnation: bigint;
}

export function sameOrigin(a: Origin, b: Origin): boolean {
  return a === b || (a.member === b.member && a.incarnation === b.incarnation);
}

export interface Envelope {
  readonly origin: Origin;
  /** From 1 on. */
  readonly sequence: number;
  readonly kind: CommandKind;
  /** The request; a view into the command. */
  readonly payload: Uint8Array;
}

/** Wraps the commands of one origin. */
export class Envelopes {
  readonly #header: Uint8Array;

  constructor(origin: Origin) {
    this.#header = new Uint8Array(sequenceAt);
    this.#header[0] = formatVersion;
    writeU64(this.#header, originAt, origin.member);
    writeU64(this.#header, originAt + 8, origin.incarnation);
  }

  wrap(sequence: number, kind: CommandKind, payload: Uint8Array): Uint8Array {
    const bytes = allocate(fixedBytes + 1 + payload.length);
    bytes.set(this.#header);
    writeSafe(bytes, sequenceAt, sequence);
    bytes[fixedBytes] = kind;
    bytes.set(payload, fixedBytes + 1);
    return bytes;
  }
}

/** Origins that a reader remembers: hardly ever do more servers propose at a time. */
const maxKnownOrigins = 8;

interface KnownOrigin {
  /** As they stand in a command. */
  readonly bytes: Uint8Array;
  readonly origin: Origin;
}

/** Opens envelopes. Those of the origins that were met last bear the same `Origin` objects. */
export class EnvelopeReader {
  readonly #known: KnownOrigin[] = [];

  /**
   * @throws StateMachineError for what this version does not understand.
   */
  open(bytes: Uint8Array): Envelope {
    const version = bytes[0];
    if (version !== formatVersion) throw unsupported(`a command in format ${version ?? 'nothing'}`);
    if (bytes.length <= fixedBytes) {
      throw new StateMachineError(
        'CorruptCommand',
        `A command of ${bytes.length} bytes is too short for its envelope.`,
      );
    }
    const flags = bytes[1] as number;
    // Sessions and users have their place in the format; commands that carry them come with a later version, and whoever
    // cannot check a user must not act for one.
    if ((flags & flagSession) !== 0) throw unsupported('a command that belongs to a session');
    if ((flags & flagUser) !== 0) throw unsupported('a command that acts for a user');
    if (flags !== 0) throw unsupported(`a command with flags ${flags}`);
    const kind = bytes[fixedBytes] as number;
    if (!isCommandKind(kind)) throw unsupported(`a command of kind ${kind}`);
    const sequence = readSafe(bytes, sequenceAt);
    if (sequence === 0 || !Number.isSafeInteger(sequence)) {
      throw new StateMachineError('CorruptCommand', `A command bears the impossible sequence ${sequence}.`);
    }
    return { origin: this.#originOf(bytes), sequence, kind, payload: bytes.subarray(fixedBytes + 1) };
  }

  #originOf(bytes: Uint8Array): Origin {
    for (const known of this.#known) if (isOrigin(known.bytes, bytes)) return known.origin;
    const origin = { member: readU64(bytes, originAt), incarnation: readU64(bytes, originAt + 8) };
    if (this.#known.length >= maxKnownOrigins) this.#known.shift();
    this.#known.push({ bytes: bytes.slice(originAt, sequenceAt), origin });
    return origin;
  }
}

/** From the end: incarnations are drawn by chance, so the first byte tells nearly all apart. */
function isOrigin(known: Uint8Array, command: Uint8Array): boolean {
  for (let at = known.length - 1; at >= 0; at--) if (known[at] !== command[originAt + at]) return false;
  return true;
}

function isCommandKind(kind: number): kind is CommandKind {
  return kind >= CommandKind.put && kind <= CommandKind.publishMember;
}

function unsupported(what: string): StateMachineError {
  return new StateMachineError(
    'UnsupportedCommand',
    `The log holds ${what}, which this version does not know. Run the version that the other servers run.`,
  );
}
