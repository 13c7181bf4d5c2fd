/** Reads the files of a flight recording back. It trusts nothing: what does not fit ends the file with a sentence that says so. */
import type { Entry, Input, MemberId, RaftOptions, RaftState } from '@quorate/raft';
import { ByteReader, readU32 } from '../codec/byte-reader.ts';
import { readEntries } from '../codec/entries-codec.ts';
import { type Plain, readPlain } from '../codec/plain.ts';
import { crc32c } from '../crc32c.ts';
import {
  type ClockAnchor,
  type FlightCheckpoint,
  type FlightHeader,
  frameKinds,
  MAGIC,
  maxFrameBytes,
  recordKinds,
} from './format.ts';
import { InputDecoder } from './input-codec.ts';

export type FlightRecord =
  | { readonly kind: 'checkpoint'; readonly checkpoint: CompleteCheckpoint | null }
  | { readonly kind: 'input'; readonly input: Input }
  /** An output was taken; its fingerprint. */
  | { readonly kind: 'output'; readonly fingerprint: number }
  /** A message left; its fingerprint. */
  | { readonly kind: 'sent'; readonly to: MemberId; readonly fingerprint: number };

/** A checkpoint with its payloads; null in its record while some of them were not written yet when the process ended. */
export interface CompleteCheckpoint {
  readonly options: RaftOptions;
  readonly state: RaftState;
  readonly anchor: ClockAnchor;
}

export class FlightFormatError extends Error {
  override readonly name = 'FlightFormatError';
  readonly code: 'NotARecording' | 'UnsupportedVersion' | 'Damaged';

  constructor(code: FlightFormatError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

export interface FlightFile {
  readonly header: FlightHeader;
  /** Inputs of this life up to the end of this file. */
  readonly endInput: number;
  /** Why the file ends where it does, if not by being full. */
  readonly note: string | null;
  /** In the order in which they happened. May be walked more than once. */
  records(): Generator<FlightRecord, void, undefined>;
}

const frameHeaderBytes = 8;

/** Throws FlightFormatError when the bytes are no recording, of another version, or sound but not understood. */
export function readFlightFile(bytes: Uint8Array): FlightFile {
  const { frames, note } = cutFrames(bytes);
  const header = readHeader(frames[0]);
  const bodies = frames.slice(1);
  const cache: Entry[] = [];
  let endInput = header.firstInput;
  for (const record of decode(bodies)) {
    if (record.kind === 'cache') for (const entry of record.entries) cache.push(entry);
    if (record.kind === 'input') endInput += 1;
  }
  return { header, endInput, note, records: () => complete(bodies, cache) };
}

// ------------------------------------------------------------------------------------------------------------- frames

interface Frames {
  readonly frames: readonly Uint8Array[];
  readonly note: string | null;
}

function cutFrames(bytes: Uint8Array): Frames {
  checkMagic(bytes);
  const frames: Uint8Array[] = [];
  let at = MAGIC.length;
  while (at < bytes.length) {
    const left = bytes.length - at - frameHeaderBytes;
    const length = left < 0 ? 0 : readU32(bytes, at);
    if (left < 0 || (length > left && length <= maxFrameBytes)) {
      return { frames, note: `It ends in the middle of a write, at byte ${at}: the process was killed there.` };
    }
    const start = at + frameHeaderBytes;
    if (length > maxFrameBytes || crc32c(bytes, start, start + length) !== readU32(bytes, at + 4)) {
      return { frames, note: `It is damaged at byte ${at}; what follows is left out.` };
    }
    frames.push(bytes.subarray(start, start + length));
    at = start + length;
  }
  return { frames, note: null };
}

function checkMagic(bytes: Uint8Array): void {
  const version = MAGIC.length - 1;
  if (bytes.length < MAGIC.length || MAGIC.some((byte, at) => at < version && bytes[at] !== byte)) {
    throw new FlightFormatError(
      'NotARecording',
      'This is no flight recording: give the folder `flight` of a data directory.',
    );
  }
  if (bytes[version] === MAGIC[version]) return;
  throw new FlightFormatError(
    'UnsupportedVersion',
    `The recording has format version ${bytes[version]}, this build reads ${MAGIC[version]}. Use the build that recorded it.`,
  );
}

function readHeader(frame: Uint8Array | undefined): FlightHeader {
  if (frame === undefined) throw new FlightFormatError('Damaged', 'The recording ends before its header does.');
  const reader = new ByteReader(frame);
  const kind = reader.u8();
  const header = readPlain(reader);
  if (kind !== frameKinds.header || !reader.complete || !isHeader(header)) {
    throw new FlightFormatError('Damaged', 'The header of the recording does not hold what it must.');
  }
  return header;
}

function isHeader(value: Plain): value is Plain & FlightHeader {
  if (!isObject(value)) return false;
  const texts = ['codeVersion', 'createdBy', 'cluster', 'member', 'incarnation', 'life'];
  const numbers = ['group', 'sequence', 'firstInput'];
  return (
    texts.every((name) => typeof value[name] === 'string') &&
    numbers.every((name) => typeof value[name] === 'number') &&
    typeof value['redacted'] === 'boolean' &&
    isAnchor(value['anchor'])
  );
}

// ------------------------------------------------------------------------------------------------------------ records

type Decoded =
  | Exclude<FlightRecord, { kind: 'checkpoint' }>
  | { readonly kind: 'checkpoint'; readonly checkpoint: FlightCheckpoint }
  | { readonly kind: 'cache'; readonly entries: readonly Entry[] };

function* complete(frames: readonly Uint8Array[], cache: readonly Entry[]): Generator<FlightRecord, void, undefined> {
  for (const record of decode(frames)) {
    if (record.kind === 'checkpoint') yield { kind: 'checkpoint', checkpoint: withCache(record.checkpoint, cache) };
    else if (record.kind !== 'cache') yield record;
  }
}

/** A state of its own each time: a core that is given it takes it over. */
function withCache(
  { options, state, cached, anchor }: FlightCheckpoint,
  cache: readonly Entry[],
): CompleteCheckpoint | null {
  if (cache.length !== cached.count || (cached.count > 0 && cache[0]?.index !== cached.first)) return null;
  return { options, state: { ...state, log: { ...state.log, cache: [...cache] } }, anchor };
}

function* decode(frames: readonly Uint8Array[]): Generator<Decoded, void, undefined> {
  const inputs = new InputDecoder();
  const peers: MemberId[] = [];
  for (const frame of frames) {
    const reader = new ByteReader(frame);
    if (reader.u8() !== frameKinds.records) throw notUnderstood();
    while (reader.remaining > 0) {
      const record = decodeRecord(reader, inputs, peers);
      if (record === null || reader.failed) throw notUnderstood();
      yield record;
    }
  }
}

function decodeRecord(reader: ByteReader, inputs: InputDecoder, peers: MemberId[]): Decoded | null {
  switch (reader.u8()) {
    case recordKinds.input: {
      const input = inputs.read(reader);
      return input === null ? null : { kind: 'input', input };
    }
    case recordKinds.output:
      return { kind: 'output', fingerprint: reader.u32() };
    case recordKinds.sent: {
      const number = reader.varint();
      if (number === 0) peers.push(reader.string(reader.remaining));
      const to = peers[(number === 0 ? peers.length : number) - 1];
      return to === undefined ? null : { kind: 'sent', to, fingerprint: reader.u32() };
    }
    case recordKinds.checkpoint: {
      const checkpoint = readPlain(reader);
      return isCheckpoint(checkpoint) ? { kind: 'checkpoint', checkpoint } : null;
    }
    case recordKinds.cache:
      return { kind: 'cache', entries: readEntries(reader) };
    default:
      return null;
  }
}

/** Its outline. Whether state and options are what this build's core has is for the one who resumes it to find out. */
function isCheckpoint(value: Plain): value is Plain & FlightCheckpoint {
  if (!isObject(value)) return false;
  const { options, state, cached, anchor } = value;
  return (
    isObject(options) &&
    isObject(state) &&
    isObject(state['log']) &&
    isObject(cached) &&
    typeof cached['first'] === 'number' &&
    typeof cached['count'] === 'number' &&
    isAnchor(anchor)
  );
}

function isAnchor(value: Plain | undefined): boolean {
  return isObject(value) && typeof value['wallTime'] === 'number' && typeof value['now'] === 'number';
}

function isObject(value: Plain | undefined): value is { readonly [field: string]: Plain } {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Map) &&
    !(value instanceof Uint8Array)
  );
}

function notUnderstood(): FlightFormatError {
  return new FlightFormatError(
    'Damaged',
    'The recording holds a record that this build does not understand. Use the build that recorded it.',
  );
}
